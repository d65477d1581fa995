import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { operations } from '../src/operations/registry.ts'
import { apiReference } from './api-reference.ts'

const DECLARATIONS = `/// <reference lib="esnext.disposable" />
/** A word.
 * In two lines. */
export type Word = Part | 'b';
type Part = "a";
type Signatures = {
    /** Say <something>
Twice. */
    'say-it': {
        input: {
            /** a | b */
            word: Word;
            many?: {
                /** inside */
                count: number;
            }[] | undefined;
        };
        output: {
            said: boolean;
        };
    };
    stop: {
        input: {};
        output: null;
    };
};
export {};
`

test('methods have their help, a row for each field, and what they return', () => {
  const page = apiReference(DECLARATIONS)['docs/api/methods.md']!
  expect(page.slice(page.indexOf('## '))).toBe(`## plan['say-it']

Say \\<something>
Twice.

| field | type | |
|---|---|---|
| \`word\` | \`Word\` | a \\| b |
| \`many?\` | \`{ /** inside */ count: number; }[]\` |  |

\`\`\`ts
type Output = {
    said: boolean;
}
\`\`\`

## plan.stop

Takes no fields.

\`\`\`ts
type Output = null
\`\`\`
`)
})

test('types have their comment, public ones first', () => {
  const page = apiReference(DECLARATIONS)['docs/api/types.md']!
  expect(page).toContain("### Word\n\nA word.\nIn two lines.\n\n```ts\nexport type Word = Part | 'b';\n```\n")
  expect(page.indexOf('### Word')).toBeLessThan(page.indexOf('## Parts of them'))
  expect(page.indexOf('### Part\n')).toBeGreaterThan(page.indexOf('## Parts of them'))
  expect(page).not.toContain('Signatures')
})

test('the reference of this project has every operation and every public name', () => {
  const read = (name: string) => readFileSync(join(import.meta.dirname, '..', 'docs', 'api', name), 'utf8')
  const methods = [...read('methods.md').matchAll(/^## plan(?:\.(\w+)|\['([\w-]+)'\])$/gm)].map(([, a, b]) => a ?? b)
  expect(methods).toEqual(Object.values(operations).map(({ name }) => name))
  const index = readFileSync(join(import.meta.dirname, '..', 'src', 'index.ts'), 'utf8')
  const names = [...index.matchAll(/\{([^}]+)\}/g)].flatMap(([, list]) => list!.split(','))
  expect(names.length).toBeGreaterThan(20)
  for (const name of names) expect(read('types.md')).toContain(`\n### ${name.trim().replace(/^type /, '')}\n`)
})
