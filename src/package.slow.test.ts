/**
 * What a project gets that installs the package: the files of `npm pack`, in a folder without this repository around
 * it.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PACKAGE_ROOT, type Run, runProgram } from './test-support/run-cli.ts'
import { putTicket, temporaryRepository } from './test-support/temporary-repository.ts'

const DIST = join(PACKAGE_ROOT, 'dist')
/** Packages that the installed program loads; their files are those of this checkout. */
const DEPENDENCIES = ['better-sqlite3', 'chokidar', 'ulid', 'yaml']

let project = ''
let installed = ''

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'ticketplan-package-'))
  installed = join(project, 'node_modules', 'ticketplan')
  mkdirSync(installed, { recursive: true })
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const packed = execFileSync(npm, ['pack', '--json', '--pack-destination', project], { cwd: PACKAGE_ROOT })
  const [{ filename }] = JSON.parse(packed.toString())
  execFileSync('tar', ['-xzf', join(project, filename), '-C', installed, '--strip-components=1'])
  for (const name of DEPENDENCIES)
    symlinkSync(join(PACKAGE_ROOT, 'node_modules', name), join(project, 'node_modules', name))
  writeFileSync(join(project, 'package.json'), '{"type":"module"}\n')
})

afterAll(() => rmSync(project, { recursive: true, force: true }))

/** Runs a module of the project. */
function runModule(source: string, args: string[] = [], program = process.execPath): Promise<Run> {
  const path = join(project, 'module.mjs')
  writeFileSync(path, source)
  return runProgram(program, [...args, path])
}

/** Compiles TypeScript in a project of its own settings; returns what the compiler reports. */
function compile(files: Record<string, string>, options: Record<string, unknown>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text)
  const compilerOptions = { noEmit: true, module: 'nodenext', strict: true, ...options }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }))
  const tsc = join(PACKAGE_ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  return spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' }).stdout
}

/** The names that the published declarations export. */
function publicNames(): string[] {
  const text = readFileSync(join(installed, 'dist', 'index.d.ts'), 'utf8')
  return [...text.matchAll(/^export (?:declare )?(?:type|interface|class|function|const) (\w+)/gm)].map(
    ([, name]) => name!,
  )
}

describe('types', () => {
  const CONSUMER = `
import {
  connectPlan, type ConnectedPlan,
  type AcceptedPlan, type ChainLink, type ClaimRefusal, type Decision, type DecisionOf, type ErrorCode, type ErrorData, type InputTo, isPlanError,
  type OpenOptions, openPlan, type KnownDecision, type OutputOf, type Phase, type Place, type Plan, PlanError, type Problem, type Reason,
  type ReasonCode, type ReasonOf, type RefusalCode, type Relation, type RelationKind, type Status, type StoredKind, type TicketEvent,
  type TicketSummary, type UnknownDecision, type Verdict, type VerdictChange, type Watching, type WatchOptions,
} from 'ticketplan'

const options: OpenOptions = { root: '.', actor: 'ann', onNotice: message => message.length }
const plan: Plan = openPlan(options)
const connected: Promise<ConnectedPlan> = connectPlan(options)
const input: InputTo<'record'> = { ticket: 'B', kind: 'blocked_by', other: 'A', reason: 'schema first' }
const recorded: OutputOf<'record'> = plan.record(input)
const { verdict, reasons }: { verdict: Verdict; reasons: Reason[] } = plan.consult('B')
const codes: ReasonCode[] = reasons.map(({ code }) => code)
const blockers: ReasonOf<'blocked_by'>[] = reasons.filter(reason => reason.code === 'blocked_by')
const chain: ChainLink[] = blockers.flatMap(({ chain }) => chain)
const phases: (Phase | null)[] = chain.map(({ phase }) => phase)
const { relations, problems }: { relations: Relation[]; problems: Problem[] } = plan.relations()
const kinds: RelationKind[] = relations.map(({ kind }) => kind)
const statuses: Status[] = relations.map(({ status }) => status)
const tickets: TicketSummary[] = plan.queue().queue.map(({ ticket }) => ticket)
const token: number | undefined = plan.accept({ ticket: 'B', holder: 'pod', plan: { summary: 's' } }).claim?.token
const accepted: AcceptedPlan = { summary: 'one coder' }
const summaryOf = (decision: Decision): string => {
  if (decision.kind === 'accepted_plan') return planOf(decision).summary
  const other: Exclude<KnownDecision, DecisionOf<'accepted_plan'>> | UnknownDecision = decision
  return 'target' in other ? other.target : ''
}
const planOf = ({ plan }: DecisionOf<'accepted_plan'>): AcceptedPlan => plan
const refused: ClaimRefusal | undefined = plan.renew({ ticket: 'B', token: 1 }).refused
const kind: StoredKind = 'accepted_plan'
const watchOptions: WatchOptions = { checkEveryMs: 1000 }
const listener = (event: TicketEvent): void => {
  const decisions: Decision[] = event.decisions
  const changes: VerdictChange[] = event.verdicts
  void [decisions, changes]
}
const watching: Watching = plan.watch(listener, watchOptions)
watching.close()
try {
  plan.show('nope')
} catch (error) {
  const similar: string[] = isPlanError(error, 'unknown_ticket') ? error.data.similar : []
  const code: ErrorCode | undefined = error instanceof PlanError ? error.code : undefined
  const place: Place | null = isPlanError(error, 'invalid_file') ? error.data.place : null
  const refusal: RefusalCode | null = isPlanError(error, 'invalid_file') ? error.data.refusal : null
  const data: ErrorData['busy'] | null = isPlanError(error, 'busy') ? error.data : null
  void [similar, code, place, refusal, data]
}
plan.close()
// @ts-expect-error a misspelt field
plan.record({ ticket: 'B', kind: 'note', reasons: 'x' })
// @ts-expect-error an input that is required
plan.consult()
// @ts-expect-error a kind of relation that does not exist
const wrong: RelationKind = 'hates'
void [recorded, summaryOf, refused, verdict, codes, phases, problems, kinds, statuses, tickets, token, accepted, kind, wrong]
`

  test('a strict consumer compiles without skipLibCheck, without the types of Node and of other packages', () => {
    const options = { skipLibCheck: false, types: [] }
    expect(compile({ 'consumer.ts': CONSUMER }, { ...options, target: 'es2022', lib: ['es2022'] })).toBe('')
    expect(compile({ 'consumer.ts': CONSUMER }, { ...options, module: 'esnext', moduleResolution: 'bundler' })).toBe('')
  })

  test('that consumer uses every public name', () => {
    const names = publicNames()
    expect(names.length).toBeGreaterThan(20)
    for (const name of names) expect(CONSUMER, name).toMatch(new RegExp(`\\b${name}\\b`))
  })

  test('the published types are those of the sources', () => {
    const source = join(PACKAGE_ROOT, 'src', 'index.ts')
    const same = `
import type * as published from 'ticketplan'
import type * as source from ${JSON.stringify(source)}
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : { published: A; source: B }
type Plain<T> = T extends (infer E)[] ? Plain<E>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T
type Names = Exclude<keyof published.Plan, 'root' | 'watch' | 'close' | typeof Symbol.dispose>
type Types<Api extends 'published' | 'source', N extends Names> = Api extends 'published'
  ? { input: Plain<published.InputTo<N>>; output: Plain<published.OutputOf<N>> }
  : { input: Plain<source.InputTo<N>>; output: Plain<source.OutputOf<N>> }
export const same: { [N in Names]: Same<Types<'published', N>, Types<'source', N>> } = {
  ${operationNames()
    .map(name => `'${name}': true`)
    .join(', ')}
}
export const assignable = (plan: published.Plan): Omit<source.Plan, 'watch'> => plan
`
    const options = { skipLibCheck: true, types: ['node'], typeRoots: [join(PACKAGE_ROOT, 'node_modules/@types')] }
    const lib = { target: 'es2023', lib: ['es2024', 'esnext.disposable'], allowImportingTsExtensions: true }
    expect(compile({ 'same.ts': same }, { ...options, ...lib })).toBe('')
  })

  test('methods and their fields are documented', () => {
    const text = readFileSync(join(installed, 'dist', 'index.d.ts'), 'utf8')
    const signatures = text.slice(text.indexOf('type Signatures = {')).split('\n};\n')[0]!
    const lines = signatures.split('\n')
    const undocumented = lines.filter((line, n) => /^ {4}['\w-]+: \{/.test(line) && !lines[n - 1]!.endsWith('*/'))
    expect(undocumented).toEqual([])
    expect(signatures).toMatch(/ {12}\/\*\* .+ \*\/\n {12}ticket: string;/)
  })
})

/** The operations by name, as the published declarations have them. */
function operationNames(): string[] {
  const text = readFileSync(join(installed, 'dist', 'index.d.ts'), 'utf8')
  return [...text.matchAll(/^ {4}'?([\w-]+)'?: \{\n {8}input: /gm)].map(([, name]) => name!)
}

describe('files', () => {
  test('the packed package.json runs nothing when it is installed', () => {
    const { scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    for (const name of ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'])
      expect(scripts, name).not.toHaveProperty(name)
  })

  test('the manual page and the JSON Schemas are where package.json and the docs say', () => {
    const { man } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    expect(readFileSync(join(installed, man), 'utf8')).toMatch(/^\.TH TICKETPLAN 1 /m)
    for (const page of ['docs/cli.md', 'docs/format.md']) {
      const text = readFileSync(join(installed, page), 'utf8')
      const [, path] = /\.\/node_modules\/ticketplan\/(schemas\/[\w.]+)/.exec(text)!
      expect(JSON.parse(readFileSync(join(installed, path!), 'utf8')), page).toHaveProperty('title')
    }
  })

  test('declarations are one file, once for each kind of module, and no line of a bundle is long', () => {
    const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })
    expect(files.filter(name => /\.d\.c?ts$/.test(name)).sort()).toEqual(['index.d.cts', 'index.d.ts'])
    const [required, imported] = ['index.d.cts', 'index.d.ts'].map(name => readFileSync(join(DIST, name), 'utf8'))
    expect(required).toBe(imported)
    // What runs in the browser is minified: it is sent, and its errors are not read in a terminal.
    for (const name of files.filter(name => /\.c?js$/.test(name) && !name.startsWith('page'))) {
      const longest = Math.max(
        ...readFileSync(join(DIST, name), 'utf8')
          .split('\n')
          .map(line => line.length),
      )
      expect(longest, name).toBeLessThan(5000)
    }
  })
})

test('the page, its server and its drawings add at most 75 kB to the package, and no picture is packed', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
  const parts = files.filter(name => /^dist.(?:view\.cjs|page.[\w.]+)$/.test(name))
  expect(parts).toHaveLength(5)
  const sizes = parts.map(name => gzipSync(readFileSync(join(installed, name))).length)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(75_000)
  expect(files.filter(name => /\.(?:png|jpe?g|gif)$/.test(name))).toEqual([])
})

test('the page works from the installed package', async () => {
  using repository = temporaryRepository()
  putTicket(repository.root, 'A', { state: 'queued' })
  const exported = await runProgram(process.execPath, [
    join(installed, 'dist', 'cli.js'),
    '-C',
    repository.root,
    'export',
    'html',
  ])
  expect(exported).toMatchObject({ status: 0, stderr: '' })
  expect(exported.stdout).toContain('<div id="app">')
})

describe('running', () => {
  test('the same names are exported to import and to require', async () => {
    const names = ['PlanError', 'connectPlan', 'isPlanError', 'openPlan']
    const imported = await runModule("console.log(Object.keys(await import('ticketplan')).sort().join())")
    expect(imported).toMatchObject({ status: 0, stdout: `${names.join()}\n`, stderr: '' })
    const required = await runModule(
      `import { createRequire } from 'node:module'
      console.log(Object.keys(createRequire(import.meta.url)('ticketplan')).sort().join())`,
    )
    expect(required).toMatchObject({ status: 0, stdout: `${names.join()}\n`, stderr: '' })
    const same = await runModule(
      `import { createRequire } from 'node:module'
      import { PlanError } from 'ticketplan'
      console.log(createRequire(import.meta.url)('ticketplan').PlanError === PlanError)`,
    )
    expect(same).toMatchObject({ status: 0, stdout: 'true\n', stderr: '' })
  })

  test('an uncaught error prints its message and a few lines, not the bundle', async () => {
    const { status, stderr } = await runModule(
      "import { openPlan } from 'ticketplan'\nopenPlan({ root: '/no/such/folder' }).queue()\n",
    )
    expect(status).toBe(1)
    expect(stderr).toContain('PlanError: /no/such/folder: no such folder')
    expect(Buffer.byteLength(stderr)).toBeLessThan(2000)
  })

  test.each(['README.md', 'docs/sdk.md'])('the first example of %s runs on every Node of "engines"', async page => {
    using repository = temporaryRepository()
    for (const id of ['A', 'B', 'T-1', 'T-2', 'T-3']) putTicket(repository.root, id, { state: 'queued' })
    const [, example] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(PACKAGE_ROOT, page), 'utf8'))!
    expect(example, '"using" is not parsed by Node 22').not.toMatch(/\busing\b/)
    const source = example!.replace('process.cwd()', JSON.stringify(repository.root))
    const result = await runModule(`${source}\nconsole.log(verdict, reasons.length)\n`)
    expect(result).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^(accept|hold) \d\n$/) })
  })
})

describe('a Node that is too old', () => {
  const MESSAGE = /ticketplan needs Node 22\.22 or later; this is Node \d+\.\d+\.\d+\. Install a current one\./
  const IMPORT = "await import('ticketplan')\n"

  test('importing the SDK throws the message before anything native is loaded', async () => {
    const pretend =
      "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}});process.dlopen=()=>{throw new Error('native code was loaded')}"
    const result = await runModule(IMPORT, ['--import', pretend])
    expect(result).toMatchObject({ status: 1, signal: null, stdout: '' })
    expect(result.stderr).toMatch(MESSAGE)
    expect(Buffer.byteLength(result.stderr)).toBeLessThan(1000)
  })

  test('importing the SDK in Deno throws one line that says so', async () => {
    const pretend =
      "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,deno:'2.5.0'}});process.dlopen=()=>{throw new Error('native code was loaded')}"
    const result = await runModule(IMPORT, ['--import', pretend])
    expect(result).toMatchObject({ status: 1, signal: null, stdout: '' })
    const said = result.stderr.split('\n').filter(line => line.includes('ticketplan runs on'))
    expect(said[0]).toContain('ticketplan runs on Node 22.22 or later; this is Deno 2.5.0. Run it with Node.')
    expect(result.stderr).not.toContain('native code was loaded')
  })

  const oldNode = findOldNode()
  test.skipIf(oldNode === undefined)('the same on a real one, for the SDK and the command line', async () => {
    const imported = await runModule(IMPORT, [], oldNode)
    expect(imported).toMatchObject({ status: 1, signal: null })
    expect(imported.stderr).toMatch(MESSAGE)
    const run = await runProgram(oldNode!, [join(installed, 'dist', 'cli.js'), 'queue'])
    expect(run).toMatchObject({ status: 1, signal: null, stdout: '', stderr: expect.stringMatching(MESSAGE) })
    expect(run.stderr.trim().split('\n')).toHaveLength(1)
  })
})

/** A Node on the path that is older than `engines` allow. */
function findOldNode(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(folder => !folder.includes('node_modules'))
  return folders
    .map(folder => join(folder, 'node'))
    .find(path => {
      const [, major, minor] = /^v(\d+)\.(\d+)/.exec(spawnSync(path, ['-v'], { encoding: 'utf8' }).stdout ?? '') ?? []
      return major !== undefined && (Number(major) < 22 || (major === '22' && Number(minor) < 22))
    })
}
