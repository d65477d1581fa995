/** The folders that `init` creates: the tickets folder and, outside git, the folder of the databases. */
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PLAIN_DIR } from '../files/state-folder.ts'
import { type FileChange, readLatin1 } from './changes.ts'
import { MANIFEST_FILE } from './init-manifest.ts'
import { fileChanges, missingFolders, type Part } from './part.ts'

/** The tickets folder. git keeps no empty folder, so an empty one gets a `.gitkeep`. */
export const ticketsFolder: Part = {
  plan({ ticketsDir }) {
    const folders = missingFolders(ticketsDir)
    const isEmpty = folders.length > 0 || readdirSync(ticketsDir).length === 0
    return { folders, files: isEmpty ? fileChanges(join(ticketsDir, '.gitkeep'), '') : [] }
  },
  undo({ ticketsDir }, { added }) {
    const path = join(ticketsDir, '.gitkeep')
    return added.has(path) && readLatin1(path) === '' ? { files: [removal(path, '')] } : {}
  },
}

/** The folder of the databases outside git, hidden from a git repository that is created later. */
export const plainFolder: Part = {
  plan({ root, gitDir }) {
    if (gitDir) return {}
    const folder = join(root, PLAIN_DIR)
    const ignore = join(folder, '.gitignore')
    const files = readLatin1(ignore) === null ? fileChanges(ignore, '*\n') : []
    return { folders: missingFolders(folder), files }
  },
  undo({ root, gitDir }, { added }) {
    const ignore = join(root, PLAIN_DIR, '.gitignore')
    if (gitDir || !added.has(ignore)) return {}
    // Databases in the folder stay, and stay hidden.
    const isUnused = readdirSync(dirname(ignore)).every(name => ['.gitignore', MANIFEST_FILE].includes(name))
    return isUnused ? { files: [removal(ignore, readLatin1(ignore))] } : {}
  },
}

function removal(path: string, before: string | null): FileChange {
  return { path, before, after: null }
}
