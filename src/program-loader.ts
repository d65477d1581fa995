/**
 * Loads a program together with the code that V8 compiled for it in an earlier run of the same command.
 *
 * Node's compile cache has the code of a program as it is before anything runs: the functions that a command calls are compiled
 * again at each start, which takes half as long as all else that a short command does. Here the code is kept as it is after a run.
 * Invariant: V8 crashes on damaged code, so code is used only where its two copies in the file are equal, and only from the folder
 * of compile-cache.ts. Code is never needed: without it, and where it does not fit Node or the program, V8 compiles the source.
 */
import { privateCacheFolder } from './compile-cache.ts'

/** A long run keeps its code after this time already, because it may be killed. */
const LONG_RUN_MS = 2000
/** A file of this age is removed, whether or not it is in use: that of a removed version is not. */
const MOST_AGE_MS = 30 * 24 * 3600 * 1000
/** As many files of a command are kept, for versions of ticketplan and of Node that are used side by side. */
const MOST_VERSIONS = 4

/** Exit statuses of the command line after its ordinary work: a run that failed early leaves no code. 3 is the verdict "hold". */
const ORDINARY = [0, 3]

/**
 * Runs a program and returns what it exports. The file, named by its absolute path, has one function with the parameters of a
 * CommonJS module: the build wraps it, because to do so here would copy it at each start. Runs of the same name share their compiled code;
 * without a name a run shares none. `ordinary` lists the exit statuses of runs that leave code.
 */
export function loadProgram(path: string, name: string | null, ordinary: readonly number[] = ORDINARY): unknown {
  const { readFileSync, statSync } = process.getBuiltinModule('node:fs')
  const { createRequire } = process.getBuiltinModule('node:module')
  const { dirname, join } = process.getBuiltinModule('node:path')
  const { Script } = process.getBuiltinModule('node:vm')
  const folder = name === null || process.env.NODE_DISABLE_COMPILE_CACHE ? null : privateCacheFolder(process.env)
  const { ino, size, mtimeMs, ctimeMs } = statSync(path)
  const file = folder && join(folder, [name, process.version, process.arch, ino, size, mtimeMs, ctimeMs].join('-'))
  const code = file ? readCode(file) : undefined
  const script = new Script(readFileSync(path, 'utf8'), { filename: path, ...(code && { cachedData: code }) })
  const module = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(path), module, path, dirname(path))
  if (file && (!code || script.cachedDataRejected)) keepOnce(file, () => script.createCachedData(), ordinary)
  return module.exports
}

/** Keeps the code of this run: at its end, or before that where it is long. */
function keepOnce(file: string, code: () => Buffer, ordinary: readonly number[]): void {
  const keep = (status: number) => {
    clearTimeout(timer)
    process.off('exit', keep)
    if (ordinary.includes(status)) writeCode(file, code())
  }
  const timer = setTimeout(() => keep(ordinary[0]!), LONG_RUN_MS).unref()
  process.on('exit', keep)
}

/** Returns the code in a file; undefined where there is none, or where its two copies differ. */
export function readCode(path: string): Buffer | undefined {
  const { existsSync, readFileSync } = process.getBuiltinModule('node:fs')
  try {
    if (!existsSync(path)) return undefined // an error would cost more
    const bytes = readFileSync(path)
    const code = bytes.subarray(0, bytes.length / 2)
    return code.equals(bytes.subarray(code.length)) ? code : undefined
  } catch {
    return undefined
  }
}

/** Writes the code in two copies, and removes the files of old versions. What fails is left out: the next run compiles again. */
export function writeCode(path: string, code: Buffer): void {
  const { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } = process.getBuiltinModule('node:fs')
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      for (const copy of [code, code]) {
        for (let written = 0; written < copy.length; ) written += writeSync(file, copy, written)
      }
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
    removeOld(path)
  } catch {
    rmSync(temporary, { force: true })
  }
}

/** Removes files that are too old, and the oldest of the command whose file is at the path where it has too many. */
function removeOld(path: string): void {
  const { readdirSync, rmSync, statSync } = process.getBuiltinModule('node:fs')
  const { basename, dirname, join } = process.getBuiltinModule('node:path')
  const folder = dirname(path)
  const command = basename(path).replace(/-v\d.*/, '-v')
  const files = readdirSync(folder)
    .map(name => ({ name, stat: statSync(join(folder, name)) }))
    .filter(({ stat }) => stat.isFile())
    .sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs)
  const surplus = files.filter(({ name }) => name.startsWith(command)).slice(MOST_VERSIONS)
  const aged = files.filter(({ stat }) => Date.now() - stat.mtimeMs > MOST_AGE_MS)
  for (const { name } of [...surplus, ...aged]) rmSync(join(folder, name), { force: true })
}

/**
 * Returns the name under which runs of a command share their code: its own, or null where the command line names none. Help
 * is a command of its own, because it runs other functions.
 */
export function nameOfRun(args: readonly string[]): string | null {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const own = args.slice(0, end)
  if (own.includes('--help') || own.includes('-h')) return 'help'
  const name = own.find((word, position) => !word.startsWith('-') && !/^(-C|--actor)$/.test(own[position - 1] ?? ''))
  return name !== undefined && /^[a-z_-]{1,32}$/.test(name) ? name : null
}
