/** The files of the page, read once from the package: a fixed list, so no path of a request is ever a path of the disk. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../files/package-root.ts'

export interface PageFile {
  body: Buffer
  type: string
  /** The quoted hash of the body. */
  etag: string
}

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const

/** Returns the files by the paths under which they are served. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return new Map(
    Object.entries(FILES).map(([path, [name, type]]) => {
      const body = readFileSync(join(packageRoot(), 'dist', 'page', name))
      return [path, { body, type, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }]
    }),
  )
}
