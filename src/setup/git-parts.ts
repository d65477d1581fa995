/** The parts of `init` for git: attributes, hooks and configuration. Outside git they plan nothing. */
import { dirname, join } from 'node:path'
import { isInside } from '../files/is-inside.ts'
import type { Repository } from '../files/repository.ts'
import { attributesLine, withAttributesLine, withoutAttributesLine } from './attributes.ts'
import { readLatin1, readLocalConfig } from './changes.ts'
import { cliCommand, driverCommand, type Programs } from './driver-config.ts'
import { CHECK_HOOK, type HookName, SYNC_HOOKS, withoutBlock } from './hook-block.ts'
import { findHookFolder, hasCheckHook, planHook } from './hook-folder.ts'
import { fileChanges, joinPlans, missingFolders, type Part, type Plan, planRemoval } from './part.ts'
import { isLinkedOutside, whyNotPlain } from './paths.ts'

/** The line that assigns Ticket files to the merge driver, in the committed file and in git's own. */
export const attributes: Part = {
  plan(repository) {
    if (!repository.gitDir) return {}
    const line = attributesLine(repository.config.ticketsDir)
    return joinPlans(attributesPaths(repository).map(path => planAttributes(repository, path, line)))
  },
  undo(repository, manifest) {
    const takeOut = (text: string) => {
      const rest = withoutAttributesLine(text)
      return rest === '' && text.endsWith('\n') ? null : rest
    }
    return joinPlans(attributesPaths(repository).map(path => planRemoval(repository, manifest, path, takeOut)))
  },
}

/** The hooks that update the index and, where asked for, the one that checks staged Tickets. */
export const hooks: Part = {
  plan(repository, { preCommit }) {
    const { commonDir } = repository
    if (!commonDir) return {}
    const place = findHookFolder(repository, commonDir)
    const names: HookName[] = [...SYNC_HOOKS]
    if (preCommit || hasCheckHook(place)) names.push(CHECK_HOOK)
    const plans = names.map((hook): Plan => {
      const planned = planHook(hook, place)
      if ('message' in planned) return { skipped: [planned] }
      const { path, after } = planned
      const folders = isInside(path, commonDir) ? [] : missingFolders(dirname(path))
      return { folders, files: fileChanges(path, after, { mode: 0o755 }) }
    })
    return joinPlans(plans)
  },
  undo(repository, manifest) {
    const { commonDir } = repository
    if (!commonDir) return {}
    // The default folder too: core.hooksPath may have been set after `init` ran.
    const folders = new Set([join(commonDir, 'hooks'), findHookFolder(repository, commonDir).folder])
    const paths = [...folders].flatMap(folder => [...SYNC_HOOKS, CHECK_HOOK].map(hook => join(folder, hook)))
    return joinPlans(paths.map(path => planRemoval(repository, manifest, path, withoutBlock)))
  },
}

/** The keys of git's configuration with their values. */
const SETTINGS: Record<string, (programs: Programs) => string> = {
  'merge.ticketplan.name': () => 'Ticket files, merged by meaning',
  'merge.ticketplan.driver': driverCommand,
  'ticketplan.command': cliCommand,
}

/** The merge driver and the program for the hooks, in the configuration of the clone. */
export const configuration: Part = {
  plan({ root, gitDir }, { programs }) {
    if (!gitDir) return {}
    const known = readLocalConfig(root)
    const config = Object.entries(SETTINGS).map(([key, format]) => ({ key, value: format(programs) }))
    return { config: config.filter(({ key, value }) => known.get(key) !== value) }
  },
  undo({ root, gitDir }) {
    if (!gitDir) return {}
    const known = readLocalConfig(root)
    const keys = Object.keys(SETTINGS).filter(key => known.has(key))
    return { config: keys.map(key => ({ key, value: null })) }
  },
}

function planAttributes({ root, commonDir }: Repository, path: string, line: string): Plan {
  const isOutside = isLinkedOutside(dirname(path), [root, commonDir!])
  const why = whyNotPlain(path) ?? (isOutside ? 'its folder is a link out of the repository' : null)
  if (why) return { skipped: [{ path, message: `${why}; add the line ${Buffer.from(line, 'latin1')}` }] }
  const before = readLatin1(path)
  return { files: fileChanges(path, before === null ? `${line}\n` : withAttributesLine(before, line)) }
}

function attributesPaths({ root, commonDir }: Repository): string[] {
  return commonDir ? [join(root, '.gitattributes'), join(commonDir, 'info', 'attributes')] : []
}
