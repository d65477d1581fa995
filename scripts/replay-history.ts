/**
 * The history of one path of a git checkout, commit by commit, without touching that checkout.
 *
 * Reads objects alone: no hook, filter or attribute of the checkout has an effect.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A problem of what the user named, with what to do. */
export class ReplayProblem extends Error {}

export interface ReplayCommit {
  id: string
  /** When it was committed. */
  at: string
}

/** Returns the root of a checkout. @throws ReplayProblem where the folder is none, or has no commit. */
export function checkoutRoot(folder: string): string {
  if (!existsSync(folder)) throw new ReplayProblem(`there is no folder ${folder}; name the root of a git checkout`)
  let root: string
  try {
    root = git(folder, ['rev-parse', '--show-toplevel']).toString().trimEnd()
  } catch (error) {
    throw new ReplayProblem(`${folder} is not a git checkout: ${reasonOf(error)}; name the root of one`)
  }
  if (root !== realpathSync(folder)) {
    throw new ReplayProblem(`${folder} is not the root of a git checkout: it is a folder of ${root}; name that`)
  }
  try {
    git(root, ['rev-parse', '--quiet', '--verify', 'HEAD^{commit}'])
  } catch {
    throw new ReplayProblem(`${folder} has no commit; name a checkout with a history`)
  }
  return root
}

/** Lists the paths of the files of HEAD. */
export function listPaths(root: string): string[] {
  return filesAt(root, 'HEAD').map(({ path }) => path)
}

/** Lists the commits of the first parents of HEAD that changed a path, the oldest first; with `last` only the newest ones. */
export function listCommits(root: string, path: string, last?: number): ReplayCommit[] {
  const newest = last === undefined ? [] : [`--max-count=${last}`]
  const args = ['rev-list', '--reverse', '--first-parent', '--timestamp', ...newest, 'HEAD', '--', path]
  const lines = git(root, args).toString().split('\n').filter(Boolean)
  return lines.map(line => {
    const [seconds, id] = line.split(' ')
    return { id: id!, at: new Date(Number(seconds) * 1000).toISOString() }
  })
}

/** The files of a path as one commit has them, at another place. */
export interface HistoryCopy {
  /** Makes the files those of a commit; returns how many there are. */
  move(commit: string): number
}

/** Creates a copy, empty at first. `target` becomes a file where the path is one. `isWanted` is asked with paths from the root. */
export function historyCopy(
  root: string,
  path: string,
  target: string,
  isWanted: (path: string) => boolean,
): HistoryCopy {
  let present = new Map<string, string>()
  return {
    move(commit) {
      const files = new Map(
        filesAt(root, commit, path)
          .filter(file => isWanted(file.path))
          .map(file => [file.path.slice(path.length), file.object]),
      )
      for (const name of present.keys()) if (!files.has(name)) rmSync(join(target, name), { force: true })
      const changed = [...files].filter(([name, object]) => present.get(name) !== object)
      const contents = readObjects(root, [...new Set(changed.map(([, object]) => object))])
      for (const [name, object] of changed) {
        mkdirSync(dirname(join(target, name)), { recursive: true })
        rmSync(join(target, name), { recursive: true, force: true })
        writeFileSync(join(target, name), contents.get(object)!)
      }
      present = files
      return files.size
    },
  }
}

/** Lists the regular files of a commit. @throws ReplayProblem for a path that leads out of a folder. */
function filesAt(root: string, commit: string, path?: string): { path: string; object: string }[] {
  const output = git(root, ['ls-tree', '-r', '-z', '--full-tree', commit, ...(path === undefined ? [] : ['--', path])])
  return output
    .toString()
    .split('\0')
    .filter(line => line.startsWith('100'))
    .map(line => {
      const [, , object, name] = /^(\d+) blob (\S+)\t(.*)$/s.exec(line)!
      if (name!.split('/').some(part => part === '..' || part === '.' || part === '')) {
        throw new ReplayProblem(`commit ${commit} of ${root} has a path that leads out of its folder: ${name}`)
      }
      return { path: name!, object: object! }
    })
}

function readObjects(root: string, objects: readonly string[]): Map<string, Buffer> {
  const contents = new Map<string, Buffer>()
  if (objects.length === 0) return contents
  const output = git(root, ['cat-file', '--batch'], objects.map(object => `${object}\n`).join(''))
  let position = 0
  for (const object of objects) {
    const start = output.indexOf(10, position) + 1
    const header = output.toString('latin1', position, start - 1)
    const size = Number(/ blob (\d+)$/.exec(header)?.[1] ?? Number.NaN)
    if (Number.isNaN(size)) throw new ReplayProblem(`${root} cannot give an object of its history: ${header}; fetch it`)
    contents.set(object, output.subarray(start, start + size))
    position = start + size + 1
  }
  return contents
}

function git(folder: string, args: readonly string[], input = ''): Buffer {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  return execFileSync('git', ['--literal-pathspecs', ...args], {
    cwd: folder,
    env: { ...env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
    input,
    maxBuffer: 2 ** 30,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: Buffer; message: string }
  return (stderr?.toString().trim() || message).split('\n')[0]!
}
