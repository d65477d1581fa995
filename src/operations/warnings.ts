/** Warnings that several operations give. */

const HOME_PATH = /(?:^|[\s"'`(=:])(?:\/(?:home|Users)\/[^/\s]+|\/root\/|[A-Za-z]:\\Users\\)/

/** A warning for each text that names somebody's home folder: it means nothing on another machine, and it will be in git. */
export function homePathWarnings(texts: Record<string, string | undefined>): string[] {
  return Object.entries(texts)
    .filter(([, text]) => text !== undefined && HOME_PATH.test(text))
    .map(([field]) => `the ${field} names an absolute path of one machine; it is kept, and will be in git`)
}
