/**
 * Hears of changes below a folder, from chokidar: a hint that something may have changed, never what.
 *
 * It loses events where the kernel's queue overflows, so whoever relies on it also looks at all files now and then. Files are
 * kept from chokidar's own bookkeeping: the folders' watches tell of them too, at a third of the memory and time
 * (docs/design.md has the figures). Must never stop without saying so.
 */
import { createRequire } from 'node:module'
import { basename } from 'node:path'

type Chokidar = typeof import('chokidar')

/** What a folder's watch tells. No call comes before `watchFolder` has returned. */
export interface FolderListener {
  /** It hears from now on. Comes once, if at all. */
  onReady(): void
  /** Something may have changed. */
  onHint(): void
  /** It no longer hears of everything, for this reason. Comes at most once. */
  onFailure(reason: string): void
}

const REASONS: Record<string, string> = {
  ENOSPC: 'no inotify watches are left (fs.inotify.max_user_watches)',
  EMFILE: 'no inotify instances or open files are left (fs.inotify.max_user_instances, ulimit -n)',
}

/** Watches until the function that it gives is called. */
export function watchFolder(folder: string, listener: FolderListener): () => void {
  let watcher: ReturnType<Chokidar['watch']> | undefined
  let over = false
  const close = () => {
    over = true
    // Nothing waits for it, and a watcher that has failed already may fail to close.
    void watcher?.close().catch(() => {})
  }
  const fail = (error: unknown) => {
    if (over) return
    close()
    const { code, message } = error as NodeJS.ErrnoException
    listener.onFailure(REASONS[code ?? ''] ?? message)
  }
  const tell = (action: () => void) => {
    if (!over) action()
  }
  setImmediate(() => {
    if (over) return
    try {
      // Loaded when somebody watches; chokidar is an ES module, which Node can require.
      const chokidar = createRequire(import.meta.url)('chokidar') as Chokidar
      watcher = chokidar.watch(folder, {
        ignoreInitial: true,
        followSymlinks: false,
        atomic: false,
        ignored: (path, stats) => path !== folder && (isFileByName(path) || stats?.isFile() === true),
      })
      watcher.on('raw', (_, name) => {
        if (!isHidden(name)) tell(listener.onHint)
      })
      watcher.on('all', () => tell(listener.onHint)) // folders that came or went, and their watches with them
      watcher.on('error', fail)
      watcher.on('ready', () => tell(listener.onReady))
      // Polling, which the environment can ask for, would look at folders alone here.
      if (watcher.options.usePolling) fail(new Error('CHOKIDAR_USEPOLLING is set'))
    } catch (error) {
      fail(error)
    }
  })
  return close
}

// Decided by the name where it can be: chokidar asks again at each event, and a stat each time costs as much as a look at all files.
function isFileByName(path: string): boolean {
  return path.endsWith('.json') || isHidden(path)
}

/** Temporary files of writers, and what else is no Ticket. */
function isHidden(path: string | null | undefined): boolean {
  return path ? basename(path).startsWith('.') : false
}
