/** Finds what this machine does not allow a test to do. A test that needs it is skipped with the reason. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CLI } from './run-cli.ts'
import { temporaryFolder } from './temporary-repository.ts'

/** A user without rights: "nobody". */
export const OTHER_USER = 65_534

/** Why something is not possible here; null where it is possible. */
export type Obstacle = string | null

export function straceObstacle(): Obstacle {
  const run = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO:when=9999', 'true'])
  if (run.error) return 'strace is not installed'
  return run.status === 0 ? null : 'strace may not trace here'
}

/** Returns why a program cannot be used; null where it is on the path. */
export function programObstacle(name: string): Obstacle {
  return spawnSync(name, ['--version']).error ? `${name} is not installed` : null
}

export function mountObstacle(): Obstacle {
  if (process.getuid?.() !== 0) return 'only root can mount'
  using folder = temporaryFolder()
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder.path]).status !== 0)
    return 'mounting is not allowed here'
  spawnSync('umount', [folder.path])
  return null
}

/** Returns why no network can be made that is apart from this machine's. */
export function networkObstacle(): Obstacle {
  if (process.getuid?.() !== 0) return 'only root can make a network'
  const name = `tpt${process.pid}`
  const ip = (...args: string[]) => spawnSync('ip', args).status === 0
  if (spawnSync('ip', ['-V']).error) return 'ip is not installed (Debian: apt-get install iproute2)'
  const isAllowed =
    ip('netns', 'add', name) && ip('link', 'add', `${name}h`, 'type', 'veth', 'peer', 'name', 'other', 'netns', name)
  ip('netns', 'delete', name)
  return isAllowed ? null : 'networks may not be made here'
}

export function otherUserObstacle(): Obstacle {
  if (process.getuid?.() !== 0) return 'only root can run as another user'
  using folder = temporaryFolder()
  const path = join(folder.path, 'a')
  mkdirSync(path)
  const asOther = { uid: OTHER_USER, gid: OTHER_USER }
  for (const file of [process.execPath, CLI]) {
    const run = spawnSync('test', ['-r', file], asOther)
    if (run.status !== 0) return `another user cannot read ${dirname(file)}`
  }
  return null
}

/** Returns a command that starts a program without any inotify watches, or instances, left. */
export function withoutInotify(what: 'watches' | 'instances'): string[] {
  return [
    'unshare',
    '--user',
    '--map-root-user',
    'sh',
    '-c',
    `echo 0 > /proc/sys/user/max_inotify_${what}; exec "$@"`,
    'sh',
  ]
}

export function inotifyObstacle(): Obstacle {
  const [program, ...args] = withoutInotify('watches')
  const run = spawnSync(program!, [...args, 'cat', '/proc/sys/user/max_inotify_watches'], { encoding: 'utf8' })
  return run.status === 0 && run.stdout.trim() === '0' ? null : 'inotify cannot be limited for one process here'
}

/** Returns why permission bits do not apply to this process; null where they do. */
export function permissionObstacle(): Obstacle {
  return process.getuid?.() === 0 ? 'root is stopped by no permission bits' : null
}

/** Mounts a small file system in memory on a folder, until the end of the `using` block. */
export function mountTmpfs(folder: string, size: string): Disposable {
  run('mount', '-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', folder)
  return { [Symbol.dispose]: () => run('umount', '--lazy', folder) }
}

/** Mounts a folder over itself, read-only, until the end of the `using` block. */
export function mountReadOnly(folder: string): Disposable {
  run('mount', '--bind', folder, folder)
  run('mount', '-o', 'remount,ro,bind', folder)
  return { [Symbol.dispose]: () => run('umount', '--lazy', folder) }
}

function run(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}
