/** Sets up a checkout: what ticketplan needs to be there, made where it is missing, nothing changed that is there. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { ioError } from '../files/io-error.ts'
import { checkFolders, PLAIN_DIR, type Repository } from '../files/repository.ts'

/** Makes what is missing; the paths made, from the root. @throws PlanError io. */
export function initRepository({ root, ticketsDir, gitDir }: Repository): string[] {
  for (const folder of [ticketsDir, join(root, PLAIN_DIR)]) checkFolders(root, folder)
  const made: string[] = []
  const make = (path: string, content: string | null) => {
    if (existsSync(path)) return
    try {
      if (content === null) mkdirSync(path, { recursive: true })
      else writeFileSync(path, content, { flag: 'wx' })
    } catch (error) {
      throw ioError(error, path)
    }
    made.push(relative(root, path))
  }
  make(ticketsDir, null)
  make(join(ticketsDir, '.gitkeep'), '') // git keeps no empty folder, and a clone must know that this is one of ours
  if (!gitDir) {
    make(join(root, PLAIN_DIR), null)
    make(join(root, PLAIN_DIR, '.gitignore'), '*\n')
  }
  return made
}
