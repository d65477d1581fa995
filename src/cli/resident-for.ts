/** Starts the resident of a long-running command. */
import { join } from 'node:path'
import { packageRoot } from '../files/package-root.ts'
import { startResident } from '../resident/resident.ts'
import { prepareCommand } from './answer-request.ts'
import { ownOutput, printNotice } from './command-output.ts'
import type { GlobalOptions } from './command-words.ts'

/** Answers reading commands in the worktree of a folder until the returned function is called. */
export function residentFor(root: string, { json, noResident }: GlobalOptions): () => void {
  if (noResident) return () => {}
  return startResident({
    root,
    dist: join(packageRoot(), 'dist'),
    prepare: prepareCommand,
    notify: message => printNotice(message, json, ownOutput),
  })
}
