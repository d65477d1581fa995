/**
 * Opens an address in the person's browser, by way of a file.
 *
 * The arguments of a process are visible to every user of a machine, and the address has a token; a file of mode 0600 is not.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const OPENERS: Partial<Record<NodeJS.Platform, [program: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
}

/** Returns a function that removes the file. `onFailure` is called where no browser can be started. */
export function openBrowser(url: string, onFailure: (message: string) => void): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'ticketplan-view-')) // of mode 0700
  const file = join(folder, 'open.html')
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const target = JSON.stringify(url).replaceAll('<', '\\u003c')
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><title>ticketplan</title><script>location.replace(${target})</script>\n`,
    { mode: 0o600 },
  )
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open']
  const { spawn } = process.getBuiltinModule('node:child_process')
  const child = spawn(
    process.env.BROWSER || program,
    [...(process.env.BROWSER ? [] : args), pathToFileURL(file).href],
    {
      stdio: 'ignore',
      detached: true,
    },
  )
  child.on('error', error => onFailure(`no browser could be started (${error.message}); open the link by hand`))
  child.unref()
  return remove
}
