/**
 * The API reference: docs/api/methods.md and docs/api/types.md, from the published declarations and their docstrings.
 *
 * Written here because neither typedoc nor API Extractor can: docs/design.md says why. The text of the declarations is
 * split by how the compiler formats it, as in declarations.ts.
 */
import { type Declaration, statementsOf } from './declarations.ts'

/** Returns the files of the reference by their path, for the text of dist/index.d.ts. */
export function apiReference(declarations: string): Record<string, string> {
  const statements = statementsOf(declarations).filter(({ code }) => !code.startsWith('export {'))
  const signatures = statements.find(({ code }) => /^type Signatures = /.test(code))
  if (!signatures) throw new Error('the declarations have no type Signatures')
  return {
    'docs/api/methods.md': methodsPage(signatures.code),
    'docs/api/types.md': typesPage(statements.filter(statement => statement !== signatures)),
  }
}

const HEAD = '<!-- Written by "npm run docs" from the docstrings of the code. -->\n'

function methodsPage(signatures: string): string {
  const sections = blocksOf(signatures.split('\n').slice(1, -1)).map(({ name, doc, lines }) => {
    const [input, output] = blocksOf(lines.slice(1, -1))
    const fields = input!.lines.length > 1 ? blocksOf(input!.lines.slice(1, -1)) : []
    const rows = fields.map(field => `| \`${field.name}\` | ${cell(typeOf(field.lines))} | ${text(field.doc)} |`)
    const table = rows.length ? `| field | type | |\n|---|---|---|\n${rows.join('\n')}\n` : 'Takes no fields.\n'
    const call = /^\w+$/.test(name) ? `plan.${name}` : `plan['${name}']`
    return `## ${call}\n\n${doc ? `${doc}\n\n` : ''}${table}\n${code(`type Output = ${typeOf(output!.lines, '\n')}`)}`
  })
  return `${HEAD}
# Methods of a plan

Each is a method of what \`openPlan\` returns, and the command of the same name prints its result with \`--json\`. A text in
place of the input is the value of the first field. [types.md](types.md) has the types that are named here,
[../sdk.md](../sdk.md) the guide and the errors.

${sections.join('\n')}`
}

function typesPage(statements: Declaration[]): string {
  const [exported, others] = [true, false].map(isPublic =>
    statements.filter(({ code }) => code.startsWith('export ') === isPublic),
  )
  const sections = (list: Declaration[]) =>
    list
      .map(statement => ({ ...statement, name: nameOf(statement.code) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, doc, code: declared }) => `### ${name}\n\n${doc ? `${proseOf(doc)}\n\n` : ''}${code(declared)}`)
      .join('\n')
  return `${HEAD}
# Types and functions

## Public names

${sections(exported!)}
## Parts of them

Not exported: use the public type that has them, as in \`OutputOf<'claims'>\`.

${sections(others!)}`
}

/** A property of an object type: its name with "?" if it is optional, its comment, and its lines. */
interface Block {
  name: string
  doc: string
  lines: string[]
}

/** Splits the lines inside of an object type into its properties; their lines come without its indentation. */
function blocksOf(lines: string[]): Block[] {
  const blocks: Block[] = []
  let doc: string[] = []
  let isComment = false
  for (const line of lines) {
    const own = line.slice(4)
    if (own.startsWith('/**')) [doc, isComment] = [[], true]
    if (isComment) {
      doc.push(line.trimStart())
      isComment = !line.trimEnd().endsWith('*/')
      continue
    }
    const [, quoted, plain] = /^(?:'([\w-]+)'|([\w-]+))\??: /.exec(own) ?? []
    if (quoted || plain) {
      const isOptional = new RegExp(`^'?${quoted ?? plain}'?\\?`).test(own)
      blocks.push({ name: `${quoted ?? plain}${isOptional ? '?' : ''}`, doc: proseOf(doc.join('\n')), lines: [own] })
      doc = []
    } else blocks.at(-1)?.lines.push(own)
  }
  return blocks
}

/** Returns the type of a property, its lines joined by a separator. */
function typeOf(lines: string[], separator = ' '): string {
  const [first, ...rest] = lines
  const type = [first!.replace(/^.*?\??: /, ''), ...rest].map(line => (separator === ' ' ? line.trim() : line))
  return type
    .join(separator)
    .replace(/;$/, '')
    .replace(/ \| undefined$/, '')
}

/** Returns the text of a comment without its marks. */
function proseOf(doc: string): string {
  return doc
    .replace(/^\s*\/\*\*\s?|\s*\*\/\s*$/g, '')
    .replace(/^ *\* ?/gm, '')
    .replaceAll('*\\/', '*/')
    .replace(/<(?=[\w/!])/g, '\\<')
    .trim()
}

function nameOf(declared: string): string {
  return /^(?:export )?(?:declare )?(?:type|interface|class|function|const) ([\w$]+)/.exec(declared)?.[1] ?? ''
}

const text = (prose: string) => prose.replaceAll('\n', ' ').replaceAll('|', '\\|')
const cell = (type: string) => `\`${type.replaceAll('|', '\\|')}\``
const code = (source: string) => `\`\`\`ts\n${source.trim()}\n\`\`\`\n`
