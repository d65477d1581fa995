/**
 * Writes what is made from definitions: the parts of docs/ that list something, the API reference, the
 * manual page, the JSON Schemas.
 *
 * A part is between the lines "<!-- name: npm run docs -->" and "<!-- /name -->"; the rest of a page is never changed.
 * Usage: npm run docs. With --check it writes nothing, and exits 1 if a file is out of date.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { commandNames, loadCommand, loadCommandGroups } from '../src/cli/commands.ts'
import { commandReference } from '../src/cli/help.ts'
import { isOptional } from '../src/cli/parse-arguments.ts'
import { DEFAULT_WIDTH, wrap } from '../src/cli/wrap.ts'
import type { Operation } from '../src/operations/operation.ts'
import { operations } from '../src/operations/registry.ts'
import { apiReference } from './api-reference.ts'
import { shapeText, sharedShapes } from './document-text.ts'
import { configJsonSchema, ticketJsonSchema } from './json-schemas.ts'
import { manPage } from './man-page.ts'
import { publicDeclarations } from './public-declarations.ts'

const CODE_WIDTH = 100
const root = join(import.meta.dirname, '..')
const definitions = Object.values(operations) as unknown as Operation[]
const check = process.argv.includes('--check')

update('docs/cli.md', { documents: documents(), commands: await commands() })
update('docs/sdk.md', { methods: methods() })
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
write('man/ticketplan.1', manPage(version, await loadCommandGroups()))
for (const [file, text] of Object.entries(apiReference(publicDeclarations(root)))) write(file, text)
write('schemas/ticketplan.schema.json', `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
write('schemas/ticket.schema.json', `${JSON.stringify(ticketJsonSchema(), null, 2)}\n`)

function update(file: string, parts: Record<string, string>): void {
  const before = readFileSync(join(root, file), 'utf8')
  write(
    file,
    Object.entries(parts).reduce((text, [name, part]) => replacePart(text, name, part), before),
  )
}

function write(file: string, text: string): void {
  const path = join(root, file)
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return
  if (!check) {
    mkdirSync(dirname(path), { recursive: true })
    return writeFileSync(path, text)
  }
  console.error(`${file} is out of date; run "npm run docs"`)
  process.exitCode = 1
}

function replacePart(text: string, name: string, part: string): string {
  const [start, end] = [`<!-- ${name}: npm run docs -->\n`, `<!-- /${name} -->\n`]
  const from = text.indexOf(start) + start.length
  const to = text.indexOf(end)
  if (from < start.length || to < from) throw new Error(`the marks of the part "${name}" are missing`)
  return `${text.slice(0, from)}\n${part}\n${text.slice(to)}`
}

/** Returns the help of each command. */
async function commands(): Promise<string> {
  const sections: string[] = []
  for (const name of commandNames)
    sections.push(`### ${name}\n\n${code('text', commandReference(await loadCommand(name), DEFAULT_WIDTH))}`)
  return sections.join('\n')
}

/** Returns the document that each command prints with --json; commands with the same one share a line. */
function documents(): string {
  const names = new Map<string, string[]>()
  for (const { name, output } of definitions) {
    const text = shapeText(output())
    names.set(text, [...(names.get(text) ?? []), name])
  }
  const lines = [...names].map(([text, names]) => `${names.join(', ')}: ${text}`)
  return code('text', [...sharedShapes(), '', ...lines].flatMap(wrapCode).join('\n'))
}

/** Returns the call of each method, with the names of its fields. */
function methods(): string {
  const calls = definitions.map(({ name, fields }) => {
    const names = Object.entries(fields).map(([name, field]) => `${name}${isOptional(field) ? '?' : ''}`)
    const method = /^\w+$/.test(name) ? `plan.${name}` : `plan['${name}']`
    return `${method}(${names.length ? `{ ${names.join(', ')} }` : ''})`
  })
  return code('ts', calls.flatMap(wrapCode).join('\n'))
}

/** Wraps a line of code after commas and between literals, so that no `string | null` is split. */
function wrapCode(line: string): string[] {
  const joined = line.replace(/(?<!,|\|(?= ')) /g, '\u00a0')
  return wrap(joined, CODE_WIDTH, '  ').map(part => part.replaceAll('\u00a0', ' '))
}

function code(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trim()}\n\`\`\`\n`
}
