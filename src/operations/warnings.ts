/** Warnings that several operations share. */

const HOME_PATH = /(?:^|[\s"'`(=:])(?:\/(?:home|Users)\/[^/\s]+|\/root\/|[A-Za-z]:\\Users\\)/

/** Returns a warning for each text that names a home folder, which means nothing on another machine. */
export function homePathWarnings(texts: Record<string, string | undefined>): string[] {
  return Object.entries(texts)
    .filter(([, text]) => text !== undefined && HOME_PATH.test(text))
    .map(([field]) => `the ${field} names an absolute path of one machine, and it will be in git`)
}
