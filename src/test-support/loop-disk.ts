/** A disk of its own for a test: ext4 in a file, whose power can be cut. */
import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { retryUntil } from '../files/pause.ts'
import type { Obstacle } from './system-abilities.ts'
import { temporaryFolder } from './temporary-repository.ts'

/** EXT4_IOC_SHUTDOWN of linux/fs/ext4/ext4.h, with EXT4_GOING_FLAGS_NOLOGFLUSH: what is not on the disk is lost. */
const CUT = 'my $flags = pack("L", 2); open(F, "<", $ARGV[0]) or die $!; ioctl(F, 0x8004587D, $flags) or die $!'

export interface LoopDisk extends Disposable {
  /** Where the disk is mounted. */
  folder: string
  /** Ends all input and output at once: nothing is written any more that is not on the disk yet. */
  cutPower(): void
  /** Mounts the disk again after a cut; its journal is replayed, as at a start of the machine. */
  start(): void
}

/** Creates and mounts a disk. */
export function loopDisk(sizeMb: number): LoopDisk {
  const parent = temporaryFolder()
  const image = join(parent.path, 'disk')
  const folder = join(parent.path, 'mounted')
  const file = openSync(image, 'wx')
  ftruncateSync(file, sizeMb * 1024 * 1024)
  closeSync(file)
  mkdirSync(folder)
  run('mkfs.ext4', '-q', '-F', image)
  const mount = () => run('mount', '-o', 'loop', image, folder)
  mount()
  return {
    folder,
    cutPower: () => run('perl', '-e', CUT, folder),
    start() {
      const restart = () => {
        run('umount', folder)
        mount()
        return canBeWritten(folder)
      }
      // A process in a mount namespace of its own may have the old mount, and then the kernel goes on with that.
      if (!retryUntil(60_000, restart, Boolean)) throw new Error(`${image} is still without power`)
    },
    [Symbol.dispose]() {
      run('umount', '--lazy', folder)
      parent[Symbol.dispose]()
    },
  }
}

function canBeWritten(folder: string): boolean {
  try {
    writeFileSync(join(folder, 'started'), '')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
    return false
  }
}

/** Returns why the power of a disk cannot be cut here; null where it can. */
export function loopDiskObstacle(): Obstacle {
  if (process.getuid?.() !== 0) return 'only root can mount'
  try {
    using disk = loopDisk(8)
    disk.cutPower()
    disk.start()
    return null
  } catch (error) {
    return `no disk whose power can be cut: ${(error as Error).message}`
  }
}

function run(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw error ?? new Error(`${program} ${args.join(' ')}: ${stderr}`)
}
