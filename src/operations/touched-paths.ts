import { statSync } from 'node:fs'
import { join } from 'node:path'
import { isBareWord } from '../model/area.ts'
import { didYouMean, nearestNames } from '../model/nearest-names.ts'
import type { Store } from '../store/store.ts'

/** Returns paths as they are stored: sorted, each once, and with a final "/" where the path is a folder now. Warns of unknown areas. */
export function touchedPaths(store: Store, paths: readonly string[], warnings: string[]): string[] {
  const { root, config } = store.repository
  const stored = paths.map(path => {
    const isNamed = isBareWord(path) && Object.hasOwn(config.areas, path)
    if (isNamed || path.endsWith('/') || /[*?]/.test(path)) return path
    const stat = statSync(join(root, path), { throwIfNoEntry: false })
    if (stat?.isDirectory()) return `${path}/`
    if (!stat && isBareWord(path)) {
      const nearest = didYouMean(nearestNames(path, Object.keys(config.areas)))
      warnings.push(`"${path}" is neither an area of ticketplan.json nor a file at the root${nearest}`)
    }
    return path
  })
  return [...new Set(stored)].sort()
}
