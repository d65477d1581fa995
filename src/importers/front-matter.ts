/**
 * Reads the YAML front matter of a Markdown file.
 *
 * Scalars other than null stay text: a title 1.10 is not 1.1.
 */
import { createRequire } from 'node:module'
import { isObject } from '../model/objects.ts'

type Json = Record<string, unknown>

/** Returns the text between the "---" lines that a file begins with; undefined where it does not begin so. */
export function frontMatterOf(text: string): string | undefined {
  return /^---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/.exec(text)?.[1]
}

/** Returns the fields. @throws Error where the text is no YAML, or no mapping. */
export function parseYaml(text: string): Json {
  // Loaded on demand, because few imports need YAML.
  const { parse } = createRequire(import.meta.url)('yaml') as typeof import('yaml')
  const value = parse(text, { schema: 'failsafe', customTags: ['null'], logLevel: 'error' })
  if (!isObject(value)) throw new Error('it is not a mapping')
  return value
}

/** Returns the fields of a text that is no YAML as a whole, one by one, and the names of those that cannot be read, or that occur twice. */
export function parseEachField(text: string): { values: Json; lost: string[] } {
  const values: Json = {}
  const lost: string[] = []
  for (const field of text.split(/^(?=[A-Za-z_][\w-]*:)/m)) {
    const name = /^[A-Za-z_][\w-]*(?=:)/.exec(field)?.[0]
    if (name === undefined) continue
    try {
      const parsed = parseYaml(field)
      if (Object.hasOwn(values, name)) lost.push(name)
      Object.assign(values, parsed)
    } catch {
      lost.push(name)
    }
  }
  return { values, lost }
}
