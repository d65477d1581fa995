/**
 * Checks the structure of src/ against docs/design.md: each room imports only the rooms below it, no module imports
 * itself by way of others, heavy packages and child processes stay in their rooms, and no database connection leaves
 * the rooms that own one.
 *
 * Usage: node scripts/check-arrows.ts [folder]. Exit status 1 where a rule is broken, 0 where none is.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, posix, relative, resolve, sep } from 'node:path'

/** The rooms from the lowest to the highest. A room imports rooms of lower steps, never one of its own step. */
const STEPS: string[][] = [
  ['model', 'node-version', 'compile-cache'],
  ['program-loader'],
  ['files'],
  ['git', 'database'],
  ['ticket-index', 'claims', 'merging', 'setup'],
  ['fleet'],
  ['store'],
  ['watch', 'importers', 'keep', 'resident'],
  ['operations'],
  ['sdk', 'mcp', 'view'],
  ['index', 'package-entry', 'cli'],
]
/** Bundles of their own that must stay small, with all that each may import. */
const PROGRAMS: Record<string, string[]> = { 'merge-driver': ['merging', 'program-loader'] }
/** Packages that only some rooms may import; an empty list means that they are required when needed. */
const PACKAGES: Record<string, string[]> = {
  '@modelcontextprotocol': ['mcp'],
  'better-sqlite3': ['database'],
  preact: ['view'],
  chokidar: [],
  'drizzle-orm': [],
  pg: ['fleet'],
  'node:child_process': [],
  'node:crypto': [],
  'string-width': ['cli'],
  yaml: [],
  zod: ['model', 'files', 'importers', 'operations', 'sdk', 'mcp'],
  ulid: [],
}
/** drizzle is for the tables' definitions alone, which nothing imports at run time. */
const SCHEMA_FILES = /^(database\/(index|local)|fleet\/fleet)-schema\.ts$/
/** The files that start processes: git, ad hoc SQL in a child, the command of `keep` with its renewer, a browser. */
const PROCESS_FILES = ['git/git.ts', 'database/ad-hoc-sql.ts', 'keep/kept-command.ts', 'cli/open-browser.ts']
/** The rooms that own a database connection. */
const CONNECTION_ROOMS = ['database', 'ticket-index', 'claims']

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..', 'src'))
const problems: string[] = []
const graph = new Map<string, string[]>()
for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
  const file = path.split(sep).join('/')
  if (!/\.tsx?$/.test(file) || file.endsWith('.test.ts') || file.startsWith('test-support/')) continue
  const source = readFileSync(join(root, path), 'utf8')
  const specifiers = importsOf(source)
  for (const specifier of specifiers) checkImport(file, specifier)
  graph.set(
    file,
    specifiers.filter(isRelative).map(specifier => targetOf(file, specifier)),
  )
  if (source.includes("'node:child_process'") && !PROCESS_FILES.includes(file))
    problems.push(`${file}: only ${PROCESS_FILES.join(' and ')} may start processes`)
  if (/\bimport [^;]*?\bConnection\b[^;]*? from '/.test(source) && !CONNECTION_ROOMS.includes(roomOf(file)))
    problems.push(`${file}: a database connection must not leave ${CONNECTION_ROOMS.join(', ')}`)
}
for (const cycle of findCycles(graph)) problems.push(`import cycle: ${cycle.join(', ')}`)
for (const problem of problems) console.error(problem)
console.log(`${graph.size} files, ${problems.length} against the rules`)
process.exitCode = problems.length > 0 || graph.size === 0 ? 1 : 0

function importsOf(source: string): string[] {
  const pattern = /(?:\bfrom|(?<!typeof )\bimport\(|^import)\s*['"]([^'"]+)['"]/gm
  return [...source.matchAll(pattern)].map(match => match[1]!)
}

function checkImport(file: string, specifier: string): void {
  const room = roomOf(file)
  if (!isRelative(specifier)) {
    const name = specifier.startsWith('node:') ? specifier : specifier.split('/')[0]!
    const rooms = PACKAGES[name]
    if (rooms && !rooms.includes(room) && !(name === 'drizzle-orm' && SCHEMA_FILES.test(file)))
      problems.push(`${file}: ${room} must not import the package ${name}`)
    return
  }
  const target = targetOf(file, specifier)
  const other = target.startsWith('..') ? relative(root, target) : roomOf(target)
  if (other === room) return
  const allowed = PROGRAMS[room] ?? STEPS.slice(0, stepOf(room)).flat()
  if (stepOf(room) === -1 && !PROGRAMS[room]) problems.push(`${file}: "${room}" is not a room of the house`)
  else if (!allowed.includes(other)) problems.push(`${file}: ${room} must not import ${other} (${specifier})`)
}

function stepOf(room: string): number {
  return STEPS.findIndex(rooms => rooms.includes(room))
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.')
}

function targetOf(file: string, specifier: string): string {
  return posix.normalize(posix.join(dirname(file), specifier))
}

function roomOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : basename(file, '.ts')
}

/** Groups of files that import each other in a circle, by Tarjan's algorithm. Imports of types count too. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const cycles: string[][] = []
  const visit = (file: string) => {
    order.set(file, order.size)
    lowest.set(file, order.get(file)!)
    open.push(file)
    for (const target of graph.get(file)!) {
      if (!graph.has(target)) continue
      if (!order.has(target)) visit(target)
      if (open.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!))
    }
    if (lowest.get(file) !== order.get(file)) return
    const group = open.splice(open.indexOf(file))
    if (group.length > 1 || graph.get(file)!.includes(file)) cycles.push(group)
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return cycles
}
