/**
 * Listens to file events below a folder, through chokidar. An event is a hint: something may have changed, never what.
 *
 * Events are lost where the kernel's queue overflows, so a caller also runs full scans. chokidar does not track the files
 * themselves: events of their folders cover them at a third of the memory and time (docs/design.md has the figures). Must not
 * stop listening without a call of `onFailure`.
 */
import { createRequire } from 'node:module'
import { basename } from 'node:path'

type Chokidar = typeof import('chokidar')

/** Receives the events of a folder. No function is called before `watchFolder` has returned. */
export interface FolderListener {
  /** From now on events arrive. Called at most once. */
  onReady(): void
  /** Something may have changed. */
  onEvent(): void
  /** From now on events are missing, for this reason. Called at most once, and nothing after it. */
  onFailure(reason: string): void
}

const REASONS: Record<string, string> = {
  ENOSPC: 'no inotify watches are left (fs.inotify.max_user_watches)',
  EMFILE: 'no inotify instances or open files are left (fs.inotify.max_user_instances, ulimit -n)',
}

/** Starts listening; returns a function that stops it. */
export function watchFolder(folder: string, listener: FolderListener): () => void {
  let watcher: ReturnType<Chokidar['watch']> | undefined
  let isClosed = false
  const close = () => {
    isClosed = true
    // Nothing waits for it, and closing a watcher that has failed may fail too.
    void watcher?.close().catch(() => {})
  }
  const fail = (error: unknown) => {
    if (isClosed) return
    close()
    const { code, message } = error as NodeJS.ErrnoException
    listener.onFailure(REASONS[code ?? ''] ?? message)
  }
  const emit = (callback: () => void) => {
    if (!isClosed) callback()
  }
  setImmediate(() => {
    if (isClosed) return
    try {
      // Loaded when the first watch starts. chokidar is an ES module, which Node can require.
      const chokidar = createRequire(import.meta.url)('chokidar') as Chokidar
      watcher = chokidar.watch(folder, {
        ignoreInitial: true,
        followSymlinks: false,
        atomic: false,
        ignored: (path, stats) => path !== folder && (isFileByName(path) || stats?.isFile() === true),
      })
      watcher.on('raw', (_, name) => {
        if (!isHidden(name)) emit(listener.onEvent)
      })
      watcher.on('all', () => emit(listener.onEvent)) // folders that were added or removed
      watcher.on('error', fail)
      watcher.on('ready', () => emit(listener.onReady))
      // With polling, chokidar would only poll folders here.
      if (watcher.options.usePolling) fail(new Error('CHOKIDAR_USEPOLLING is set'))
    } catch (error) {
      fail(error)
    }
  })
  return close
}

// By name where possible: chokidar asks at each event, and a stat each time takes as long as a full scan.
function isFileByName(path: string): boolean {
  return path.endsWith('.json') || isHidden(path)
}

/** True for temporary files of writers, and other files that are no Tickets. */
function isHidden(path: string | null | undefined): boolean {
  return path ? basename(path).startsWith('.') : false
}
