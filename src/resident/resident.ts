/**
 * A resident: answers the reading commands of one worktree over a socket, while the process that it is part of runs.
 *
 * It is an accelerator and never an authority. Of several processes in a worktree the first has the socket, and the next one takes
 * it when the first has ended. Whatever it cannot answer exactly as the command itself, it does not answer: an ended connection
 * without an answer makes the command run by itself. Must not keep the process running, and must never fail it.
 */
import { lstatSync, renameSync, unlinkSync } from 'node:fs'
import { connect, type Server, type Socket } from 'node:net'
import { isSharedFileSystem } from '../files/file-system.ts'
import { type PrepareCommand, type ResidentStore, residentStore } from './answering.ts'
import { type Cookies, cookies } from './cookies.ts'
import { CAN_RESIDE, createPlace, OFF_VARIABLE, type ResidentPlace, residentFolder, SOCKET } from './place.ts'
import { requestServer } from './requests.ts'
import { MAX_ANSWER_BYTES, parseRequest, programIdentity, type ResidentState, STARTED } from './wire.ts'

export interface ResidentOptions {
  /** A folder of the worktree. */
  root: string
  /** The folder of this program. */
  dist: string
  prepare: PrepareCommand
  /** Receives notices that belong to no answer. */
  notify(message: string): void
}

/** How often it is checked whether the socket is free, or still this process's. */
const CHECK_MS = 2000
/** A command that takes longer runs by itself for a while: starting a process costs it little, and this process has other work. */
const SLOW_MS = 300
const SLOW_FOR_MS = 60_000

/** Starts a resident as soon as there is no other one; returns a function that ends it. */
export function startResident(options: ResidentOptions): () => void {
  if (!CAN_RESIDE || process.env[OFF_VARIABLE]) return () => {}
  let serving: Serving | undefined
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  const check = async () => {
    try {
      if (serving && !serving.hasSocket()) {
        serving.close()
        serving = undefined
      }
      const started = serving ?? (await serve(options))
      if (isClosed) started?.close()
      else serving = started
    } catch {
      // No repository yet, a full disk, no watches left: tried again.
    }
    if (!isClosed) timer = setTimeout(check, CHECK_MS).unref()
  }
  timer = setTimeout(check).unref()
  return () => {
    isClosed = true
    clearTimeout(timer)
    serving?.close()
  }
}

/** A resident that has the socket. */
interface Serving {
  /** False where another process has replaced the socket. */
  hasSocket(): boolean
  close(): void
}

/** Serves from now on; undefined where another process does, or where there can be no resident. @throws PlanError, the system's error. */
async function serve({ root, dist, prepare, notify }: ResidentOptions): Promise<Serving | undefined> {
  const closers: (() => void)[] = []
  const close = () => {
    for (const close of closers.splice(0).reverse()) close()
  }
  try {
    const identity = programIdentity(dist)
    const store = residentStore(root, notify)
    closers.push(store.close)
    const { gitDir, ticketsDir } = store.repository
    if (!gitDir || [gitDir, ticketsDir].some(isSharedFileSystem) || !store.refresh()) return void close()
    const place = createPlace(gitDir)
    if (!place) return void close()
    closers.push(place.close)
    if (await isAnswered(place)) return void close()
    const settled = cookies(place, residentFolder(gitDir), store.countEvent)
    closers.push(settled.close)
    const server = requestServer(answerer(identity, store, settled, prepare))
    const inode = listen(server, place)
    closers.push(() => server.close())
    const hasSocket = () => inodeOf(place) === inode
    closers.push(() => {
      if (hasSocket()) unlinkSync(place.path(SOCKET))
    })
    return { hasSocket, close }
  } catch (error) {
    close()
    throw error
  }
}

/** Returns a function that answers a request and ends the connection. */
function answerer(identity: string, store: ResidentStore, settled: Cookies, prepare: PrepareCommand) {
  let answered = 0
  const slowUntil = new Map<string, number>()
  return async (text: string, socket: Socket) => {
    const request = parseRequest(text)
    if (request && 'ping' in request) {
      const state: ResidentState = { pid: process.pid, answered }
      socket.end(STARTED + JSON.stringify(state))
      return
    }
    if (!request || request.identity !== identity) return void socket.end()
    socket.write(STARTED)
    const command = await prepare(request)
    if (!command || (slowUntil.get(command.name) ?? 0) > performance.now()) return void socket.end()
    if (!(await settled.settle())) return void socket.end()
    const startedAt = performance.now()
    const answer = command.run(store.usedFrom(request.folder))
    const endedAt = performance.now()
    if (endedAt - startedAt > SLOW_MS) slowUntil.set(command.name, endedAt + SLOW_FOR_MS)
    const bytes = answer && Buffer.from(JSON.stringify(answer))
    if (!bytes || bytes.length >= MAX_ANSWER_BYTES) return void socket.end()
    answered++
    socket.end(bytes)
  }
}

/** Listens in place of an earlier socket, which nobody answers; returns the inode of the socket. @throws the system's error. */
function listen(server: Server, place: ResidentPlace): number | undefined {
  const temporary = `${SOCKET}.${process.pid}`
  const umask = process.umask(0o177)
  try {
    server.on('error', () => {})
    server.listen(place.path(temporary)).unref() // bound before it returns
  } finally {
    process.umask(umask)
  }
  renameSync(place.path(temporary), place.path(SOCKET))
  return inodeOf(place)
}

function inodeOf(place: ResidentPlace): number | undefined {
  return lstatSync(place.path(SOCKET), { throwIfNoEntry: false })?.ino
}

/** True where a process listens on the socket, even if it is stopped. */
function isAnswered(place: ResidentPlace): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(place.path(SOCKET))
    const end = (isAnswered: boolean) => {
      socket.destroy()
      resolve(isAnswered)
    }
    socket.on('connect', () => end(true)).on('error', () => end(false))
  })
}
