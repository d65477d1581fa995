/**
 * Checks that imports follow the arrows of docs/design.md: each room of src/ imports only the rooms below it.
 *
 * Usage: node scripts/check-arrows.ts [folder]. Exit status 1 where an import goes the wrong way, 0 where none does.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, posix, relative, resolve, sep } from 'node:path'

/** The rooms, and what each may import beside itself. A file directly in src/ is a room of its own, by its name. */
const MAY_IMPORT: Record<string, string[]> = {
  model: [],
  files: ['model'],
  database: ['model'],
  'ticket-index': ['model', 'files', 'database'],
  claims: ['model', 'database'],
  consult: ['model', 'files', 'ticket-index', 'claims'],
  store: ['model', 'files', 'database', 'ticket-index', 'claims', 'consult'],
  watch: ['model', 'files', 'database', 'ticket-index', 'claims', 'store'],
  integration: ['model', 'files', 'database', 'store'],
  'merge-driver': ['integration'],
  operations: ['model', 'files', 'database', 'ticket-index', 'claims', 'store', 'integration'],
  sdk: ['operations', 'store', 'watch'],
  index: ['sdk', 'operations', 'store', 'watch', 'model'],
  mcp: ['operations', 'store', 'watch', 'model', 'database'],
  cli: ['operations', 'integration', 'store', 'watch', 'sdk', 'model', 'files', 'database'],
}
/** Packages that only some rooms may import, so that nothing heavy is loaded by accident; chokidar, ulid and yaml are required when needed. */
const PACKAGES: Record<string, string[]> = {
  '@modelcontextprotocol': ['mcp'],
  'better-sqlite3': ['database'],
  chokidar: [],
  'drizzle-orm': [],
  'node:child_process': [],
  'node:crypto': [],
  'string-width': ['cli'],
  yaml: [],
  zod: ['model', 'files', 'operations', 'sdk', 'mcp'],
  ulid: [],
}
/** drizzle is for the tables' definitions alone, which nothing imports at run time. */
const SCHEMA_FILES = /^database\/(index|local)-schema\.ts$/

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..', 'src'))
const problems: string[] = []
let files = 0
for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
  const file = path.split(sep).join('/')
  if (!file.endsWith('.ts') || file.endsWith('.test.ts') || file.startsWith('test-support/')) continue
  files++
  for (const specifier of importsOf(readFileSync(join(root, path), 'utf8'))) check(file, specifier)
}
for (const problem of problems) console.error(problem)
console.log(`${files} files, ${problems.length} imports against the arrows`)
process.exitCode = problems.length > 0 || files === 0 ? 1 : 0

function importsOf(source: string): string[] {
  const pattern = /(?:\bfrom|(?<!typeof )\bimport\(|^import)\s*['"]([^'"]+)['"]/gm
  return [...source.matchAll(pattern)].map(match => match[1]!)
}

function check(file: string, specifier: string): void {
  const room = roomOf(file)
  if (specifier.startsWith('.')) {
    const target = posix.normalize(posix.join(dirname(file), specifier))
    const other = target.startsWith('..') ? relative(root, target) : roomOf(target)
    const allowed = MAY_IMPORT[room]
    if (!allowed) problems.push(`${file}: "${room}" is not a room of the house`)
    else if (other !== room && !allowed.includes(other))
      problems.push(`${file}: ${room} must not import ${other} (${specifier})`)
    return
  }
  const name = specifier.startsWith('node:') ? specifier : specifier.split('/')[0]!
  const rooms = PACKAGES[name]
  if (rooms && !rooms.includes(room) && !(name === 'drizzle-orm' && SCHEMA_FILES.test(file))) {
    problems.push(`${file}: ${room} must not import the package ${name}`)
  }
}

function roomOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : basename(file, '.ts')
}
