/** Asks from synchronous code whether a resident answers: the question waits in a thread of its own. */
import { CAN_RESIDE, findPlace, OFF_VARIABLE, SOCKET } from './place.ts'
import { type ResidentState, STARTED, WAIT_MS } from './wire.ts'

/** What is known of the resident of a worktree. */
export type Residence =
  | { status: 'answers'; state: ResidentState }
  | { status: 'none' | 'impossible' | 'silent' | 'turned off' }

/** A state has less than a hundred bytes. */
const MAX_STATE_BYTES = 1024

// Runs as a program of its own, with nothing of this bundle.
const PROGRAM = `
  const { workerData: { path, shared } } = require('node:worker_threads')
  const flag = new Int32Array(shared, 0, 1)
  const done = text => {
    const bytes = Buffer.from(text).subarray(0, shared.byteLength - 8)
    new Uint8Array(shared, 8).set(bytes)
    Atomics.store(flag, 0, bytes.length + 1)
    Atomics.notify(flag, 0)
  }
  let text = ''
  require('node:net').connect(path).on('data', data => { text += data }).on('end', () => done(text)).on('error', () => done(''))
    .write('{"ping":true}\\n')
`

/** Returns whether a resident answers in the worktree of a folder. Waits for it for a second at most. */
export function probeResident(folder: string): Residence {
  if (!CAN_RESIDE) return { status: 'impossible' }
  if (process.env[OFF_VARIABLE]) return { status: 'turned off' }
  const place = findPlace(folder)
  if (!place) return { status: 'none' }
  const shared = new SharedArrayBuffer(8 + MAX_STATE_BYTES)
  const flag = new Int32Array(shared, 0, 1)
  const { Worker } = process.getBuiltinModule('node:worker_threads') // for one command alone
  const worker = new Worker(PROGRAM, { eval: true, workerData: { path: place.path(SOCKET), shared } })
  worker.on('error', () => {})
  Atomics.wait(flag, 0, 0, WAIT_MS.started + 900)
  const length = flag[0]! - 1
  worker.unref()
  void worker.terminate().finally(place.close)
  if (length < 0) return { status: 'silent' }
  const text = Buffer.from(new Uint8Array(shared, 8, length)).toString()
  const state = text.startsWith(STARTED) ? parseState(text.slice(STARTED.length)) : undefined
  return state ? { status: 'answers', state } : { status: 'none' }
}

function parseState(text: string): ResidentState | undefined {
  try {
    const { pid, answered } = JSON.parse(text)
    return Number.isInteger(pid) && Number.isInteger(answered) ? { pid, answered } : undefined
  } catch {
    return undefined
  }
}
