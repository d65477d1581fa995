import { haveCommonPath, parseGlob } from '../model/glob.ts'

/** True where some path matches both globs. */
export function globsOverlap(one: string, other: string): boolean {
  return haveCommonPath(parseGlob(one), parseGlob(other))
}
