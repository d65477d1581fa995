/**
 * Finds temporary files that an interrupted `init` left beside the files that it writes.
 *
 * Only names that `init` itself gives: other programs write temporary files in the same folders.
 */
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isTempName } from '../files/atomic-write.ts'
import type { Repository } from '../files/repository.ts'
import { PLAIN_DIR } from '../files/state-folder.ts'
import { isPlanError } from '../model/errors.ts'
import { agentFiles } from './agent-files.ts'
import { CHECK_HOOK, SYNC_HOOKS } from './hook-block.ts'
import { findHookFolder } from './hook-folder.ts'
import { MANIFEST_FILE } from './init-manifest.ts'
import { shownPath } from './paths.ts'

/** Lists them as sorted paths from the root; as absolute paths outside of it. */
export function listSetupOrphans(repository: Repository): string[] {
  const { root } = repository
  const byFolder = Map.groupBy(writtenFiles(repository), path => dirname(path))
  const orphans = [...byFolder].flatMap(([folder, paths]) => {
    const targets = new Set(paths.map(path => basename(path)))
    return namesIn(folder)
      .filter(name => isTempName(name) && targets.has(targetOf(name)))
      .map(name => join(folder, name))
  })
  return orphans.map(path => shownPath(root, path)).sort()
}

/** Lists the files that `init` may write, but for Tickets. */
function writtenFiles(repository: Repository): string[] {
  const { root, commonDir, indexDir, config } = repository
  const files = agentFiles(config.ticketsDir).map(({ path }) => join(root, path))
  files.push(join(indexDir, MANIFEST_FILE), join(root, PLAIN_DIR, '.gitignore'))
  if (commonDir === null) return files
  const folders = new Set([join(commonDir, 'hooks'), hookFolder(repository, commonDir)])
  const hooks = [...folders].flatMap(folder => [...SYNC_HOOKS, CHECK_HOOK].map(hook => join(folder, hook)))
  return [...files, join(root, '.gitattributes'), join(commonDir, 'info', 'attributes'), ...hooks]
}

function hookFolder(repository: Repository, commonDir: string): string {
  try {
    return findHookFolder(repository, commonDir).folder
  } catch (error) {
    if (isPlanError(error)) return join(commonDir, 'hooks') // git cannot be run
    throw error
  }
}

/** Returns the name of the file that a temporary file was to replace: `.<name>.<12 digits>.tmp`. */
function targetOf(tempName: string): string {
  return tempName.slice(1).replace(/\.[0-9a-f]{12}\.tmp$/, '')
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
