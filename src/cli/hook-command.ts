/**
 * Runs `brief --hook`: what an agent's hook prints.
 *
 * Invariants: it prints one valid form and succeeds, whatever the place or the input; a hook must not keep a session from
 * starting. It never waits for long for an input that does not come.
 */
import { statSync } from 'node:fs'
import { isPlanError } from '../model/errors.ts'
import { isObject } from '../model/objects.ts'
import { brief } from '../operations/brief.ts'
import { hookBudget, hookOutput } from '../operations/hook-forms.ts'
import { runOperation } from '../operations/run-operation.ts'
import { workerBrief } from '../operations/worker-brief.ts'
import type { AgentName } from '../setup/agent-names.ts'
import { openStore } from '../store/store.ts'
import type { GlobalOptions } from './command-words.ts'
import { print } from './print.ts'

/** How long to wait for the first byte of an input, and for all of it. */
const FIRST_BYTE_MS = 1000
const WHOLE_MS = 5000
const MAX_INPUT_BYTES = 1024 * 1024

/** What an agent says on standard input. */
interface HookInput {
  cwd?: string
  event?: string
}

/** Prints the form that the agent takes; returns the exit status. */
export async function runHook(agent: AgentName, budget: number | undefined, global: GlobalOptions): Promise<0> {
  const { cwd, event } = hookInput(await readInput())
  const text = await textFor(agent, event, budget, { ...global, folder: global.folder ?? cwd })
  print(1, hookOutput(agent, text, event))
  return 0
}

async function textFor(
  agent: AgentName,
  event: string | undefined,
  budget: number | undefined,
  { folder, actor }: GlobalOptions,
): Promise<string> {
  try {
    const store = openStore({ root: folder, actor }, { waits: true })
    try {
      if (event === 'SubagentStart') {
        if (store.fleet) {
          const given = await store.fleet.read({ releasesOf: [] })
          if ('unknown' in given) throw given.unknown
          store.fleet.given.give(given)
        }
        return workerBrief(store)
      }
      const most = Math.min(budget ?? hookBudget(agent), hookBudget(agent))
      return (await runOperation(store, brief, { budget: most, hook: undefined })).text
    } finally {
      store.close()
      await store.fleet?.close()
    }
  } catch (error) {
    if (!isPlanError(error)) throw error
    return error.code === 'not_initialized' ? '' : `ticketplan: there is no brief: ${error.message}\n`.slice(0, 1000)
  }
}

/** Returns what counts of an input; nothing of one that is not the JSON of a hook. */
function hookInput(text: string): HookInput {
  const given = parsed(text)
  if (!isObject(given)) return {}
  const { cwd, hook_event_name: event } = given
  return {
    ...(typeof cwd === 'string' && isFolder(cwd) && { cwd }),
    ...(typeof event === 'string' && /^[A-Z][A-Za-z]{0,63}$/.test(event) && { event }),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** Reads standard input until it ends, or is one JSON document; nothing from a terminal or from an input that stays silent. */
async function readInput(): Promise<string> {
  const { stdin } = process
  if (stdin.isTTY) return ''
  const chunks: Buffer[] = []
  return new Promise(resolve => {
    const text = () => Buffer.concat(chunks).toString()
    const done = () => {
      clearTimeout(timer)
      stdin.destroy() // an open pipe would keep the process alive
      resolve(text())
    }
    let timer = setTimeout(done, FIRST_BYTE_MS)
    stdin.on('data', (chunk: Buffer) => {
      if (chunks.length === 0) {
        clearTimeout(timer)
        timer = setTimeout(done, WHOLE_MS)
      }
      chunks.push(chunk)
      const isWhole = parsed(text()) !== undefined
      if (isWhole || Buffer.concat(chunks).length > MAX_INPUT_BYTES) done()
    })
    stdin.on('end', done)
    stdin.on('error', done)
  })
}
