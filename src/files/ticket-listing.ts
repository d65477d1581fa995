/**
 * Lists the tickets folder: Ticket files, and temporary files of interrupted writes.
 *
 * Links are listed but never followed: nothing outside the tickets folder is read. No file is opened here.
 */
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { isTicketFileName } from '../model/names.ts'
import { isTempName } from './atomic-write.ts'
import { ioError } from './io-error.ts'
import type { Repository } from './repository.ts'

/** Returns the path of the tickets folder from the root, with "/" after each part. */
export function ticketsPrefix({ root, ticketsDir }: Pick<Repository, 'root' | 'ticketsDir'>): string {
  return `${relative(root, ticketsDir).split(sep).join('/')}/`
}

/** Lists the files of `listTicketNames` as paths from the root. @throws PlanError io. */
export function listTicketPaths(repository: Pick<Repository, 'root' | 'ticketsDir'>): string[] {
  const prefix = ticketsPrefix(repository)
  return listTicketNames(repository).map(name => prefix + name)
}

/**
 * Lists every file that is or should be a Ticket, and every link. The names are paths from the tickets folder, with "/", in the
 * order of their code units.
 * @param folders receives the absolute path of every folder that was read.
 * @throws PlanError io.
 */
export function listTicketNames({ ticketsDir }: Pick<Repository, 'ticketsDir'>, folders: string[] = []): string[] {
  const names: string[] = []
  listFolder(ticketsDir, '', names, folders)
  return names.sort()
}

const DOT = 46

function listFolder(folder: string, prefix: string, names: string[], folders: string[]): void {
  folders.push(folder)
  try {
    for (const name of readdirSync(folder)) {
      if (name.charCodeAt(0) === DOT) continue
      if (name.endsWith('.json')) names.push(prefix + name)
      else {
        const stat = lstatSync(`${folder}${sep}${name}`, { throwIfNoEntry: false })
        const isListed = stat
          ? stat.isSymbolicLink() || (stat.isFile() && isTicketFileName(name))
          : name.includes('\ufffd')
        if (isListed) names.push(prefix + name)
        else if (stat?.isDirectory()) listFolder(join(folder, name), `${prefix}${name}/`, names, folders)
      }
    }
  } catch (error) {
    throw ioError(error, folder)
  }
}

/** Lists the temporary files that interrupted writes left below the tickets folder, as sorted paths from the root. */
export function listOrphans({ root, ticketsDir }: Repository): string[] {
  const orphans: string[] = []
  const visit = (folder: string) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      if (isTempName(name)) orphans.push(relative(root, path).split(sep).join('/'))
      else if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) visit(path)
    }
  }
  if (existsSync(ticketsDir)) visit(ticketsDir) // a sparse checkout may leave the folder out
  return orphans.sort()
}
