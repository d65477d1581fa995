/**
 * What the benchmark of peers must know of each program: how it is installed, how its store of items is written, and which
 * commands show, list what is ready, create and relate. Stores are written as the program itself writes them.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTicket } from '../src/model/canonical-json.ts'
import type { Ticket } from '../src/model/ticket.ts'

/** One item of the plan that every program gets. */
export interface Item {
  n: number
  title: string
  body: string
  state: 'open' | 'active' | 'closed'
  /** The items that it waits for, all of them earlier ones. */
  blockers: number[]
  at: string
}

/** A program and its arguments. */
export type Command = [program: string, ...args: string[]]

export interface Peer {
  name: string
  /** Where it keeps items. */
  store: string
  /** True where items are plain text files, which git can merge or a person can read. */
  hasPlainFiles: boolean
  /** What npm installs; none for a program that must be on PATH, or is this one. */
  packages: string[]
  /** The name of the program. */
  program: string
  /** Writes the store of the items into an empty git repository. */
  write(folder: string, items: readonly Item[], run: (...args: string[]) => void): void
  id(n: number): string
  show(id: string): string[]
  /** Prints the first 50 that are ready, where the program can; all of them otherwise. */
  ready: string[]
  /** Prints all of them, where `ready` does not. */
  readyAll?: string[]
  /** Runs beside the measured commands. */
  background?: string[]
  create(title: string): string[]
  /** Undefined where the program has no relations. */
  relate?(id: string, blocker: string): string[]
}

/** Items of 0.5 KB: more than half closed, a tenth active, two blockers for most, all of it the same in each run. */
export function makeItems(count: number): Item[] {
  return Array.from({ length: count }, (_, n) => {
    const digit = (Math.imul(n, 2654435761) >>> 16) % 10
    return {
      n,
      title: `Item ${n} of the usual length, about the usual things`,
      body: 'the schema has to be there before anything can refer to it '.repeat(4).trim(),
      state: digit < 3 ? 'open' : digit < 4 ? 'active' : 'closed',
      blockers: n < 50 ? [] : [n - 1 - (n % 40), n - 41 - (n % 9)],
      at: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
    }
  })
}

const six = (n: number) => String(n).padStart(6, '0')
const ulid = (n: number) => `01JX${String(n).padStart(22, '0')}`
const jsonLines = (records: object[]) => records.map(record => `${JSON.stringify(record)}\n`).join('')

/** Returns which items each item holds back. */
function blockedBy(items: readonly Item[]): Map<number, number[]> {
  const held = new Map<number, number[]>()
  for (const { n, blockers } of items)
    for (const blocker of blockers) held.set(blocker, [...(held.get(blocker) ?? []), n])
  return held
}

/** This program; `cli` is its built command line. */
export function ticketplanPeer(cli: string): Peer {
  const states = { open: 'queued', active: 'in_progress', closed: 'closed' }
  return {
    name: 'ticketplan',
    store: 'a JSON file for each Ticket, SQLite index',
    hasPlainFiles: true,
    packages: [],
    program: cli,
    write(folder, items, run) {
      mkdirSync(join(folder, 'tickets'))
      let decision = 0
      for (const { n, title, body: reason, state, blockers, at } of items) {
        const decisions = blockers.map(blocker => {
          return { at, by: 'bench', id: ulid(decision++), kind: 'blocked_by', reason, target: `T-${six(blocker)}` }
        })
        const ticket = { id: `T-${six(n)}`, title, state: states[state], created_at: at, queued_at: at, format: 1 }
        const text = encodeTicket({ ...ticket, decisions } as unknown as Ticket)
        writeFileSync(join(folder, 'tickets', `${ticket.id}.json`), text)
      }
      run('sync')
    },
    id: n => `T-${six(n)}`,
    show: id => ['show', id],
    ready: ['queue', '--limit', '50'],
    readyAll: ['queue'],
    create: title => ['add', `N-${title.replaceAll(' ', '-')}`, '--title', title],
    relate: (id, blocker) => ['record', id, 'blocked_by', blocker, '--reason', 'bench'],
  }
}

/** The other programs. */
export const PEERS: Peer[] = [
  {
    name: 'seeds-cli',
    store: 'one JSONL file in git',
    hasPlainFiles: true,
    packages: ['@os-eco/seeds-cli', 'bun'],
    program: 'sd',
    write(folder, items, run) {
      run('init')
      const held = blockedBy(items)
      const id = (n: number) => this.id(n)
      const states = { open: 'open', active: 'in_progress', closed: 'closed' }
      const records = items.map(({ n, title, body, state, blockers, at }) => ({
        id: id(n),
        title,
        description: body,
        status: states[state],
        type: 'task',
        priority: 2,
        createdAt: at,
        updatedAt: at,
        ...(blockers.length > 0 && { blockedBy: blockers.map(id) }),
        ...(held.has(n) && { blocks: held.get(n)!.map(id) }),
        ...(state === 'closed' && { closedAt: at }),
      }))
      writeFileSync(join(folder, '.seeds', 'issues.jsonl'), jsonLines(records))
    },
    id: n => `repository-${n.toString(16).padStart(4, '0')}`,
    show: id => ['show', id],
    ready: ['ready'],
    readyAll: ['ready', '--limit', '1000000'],
    create: title => ['create', '--title', title],
    relate: (id, blocker) => ['dep', 'add', id, blocker],
  },
  {
    name: '@zeeg/dex',
    store: 'one JSONL file in git',
    hasPlainFiles: true,
    packages: ['@zeeg/dex'],
    program: 'dex',
    write(folder, items) {
      mkdirSync(join(folder, '.dex'))
      const held = blockedBy(items)
      const id = (n: number) => this.id(n)
      const records = items.map(({ n, title, body, state, blockers, at }) => ({
        id: id(n),
        parent_id: null,
        name: title,
        description: body,
        priority: 1,
        completed: state === 'closed',
        result: state === 'closed' ? 'done' : null,
        metadata: null,
        created_at: at,
        updated_at: at,
        started_at: state === 'open' ? null : at,
        completed_at: state === 'closed' ? at : null,
        blockedBy: blockers.map(id),
        blocks: (held.get(n) ?? []).map(id),
        children: [],
      }))
      writeFileSync(join(folder, '.dex', 'tasks.jsonl'), jsonLines(records))
    },
    id: n => `it${six(n)}`,
    show: id => ['show', id],
    ready: ['list', '--ready', '--flat'],
    create: title => ['create', title, '-d', 'bench'],
    relate: (id, blocker) => ['edit', id, '--add-blocker', blocker],
  },
  {
    name: 'Backlog.md',
    store: 'a Markdown file for each task',
    hasPlainFiles: true,
    packages: ['backlog.md'],
    program: 'backlog',
    write(folder, items, run) {
      run('init', 'bench', '--defaults')
      const states = { open: 'To Do', active: 'In Progress', closed: 'Done' }
      for (const { n, title, body, state, blockers, at } of items) {
        const dependencies =
          blockers.length === 0 ? ' []' : blockers.map(blocker => `\n  - TASK-${blocker + 1}`).join('')
        const text = `---\nid: TASK-${n + 1}\ntitle: '${title}'\nstatus: ${states[state]}\nassignee: []\ncreated_date: '${at.slice(0, 16).replace('T', ' ')}'\nlabels: []\ndependencies:${dependencies}\nordinal: ${(n + 1) * 1000}\n---\n\n## Description\n\n<!-- SECTION:DESCRIPTION:BEGIN -->\n${body}\n<!-- SECTION:DESCRIPTION:END -->\n`
        writeFileSync(join(folder, 'backlog', 'tasks', `task-${n + 1} - item-${n}.md`), text)
      }
    },
    id: n => `TASK-${n + 1}`,
    show: id => ['task', 'view', id, '--plain'],
    ready: ['task', 'list', '--ready', '--plain'],
    create: title => ['task', 'create', title, '--plain'],
    relate: (id, blocker) => ['task', 'edit', id, '--dep', blocker, '--plain'],
  },
  {
    name: 'get-tbd',
    store: 'a file for each issue, in a worktree of its own branch',
    hasPlainFiles: true,
    packages: ['get-tbd'],
    program: 'tbd',
    write(folder, items, run) {
      run('init', '--prefix', 'tick')
      const states = { open: 'open', active: 'in_progress', closed: 'closed' }
      const records = items.map(({ n, title, body, state, blockers, at }) => ({
        id: this.id(n),
        title,
        description: body,
        status: states[state],
        priority: 2,
        issue_type: 'task',
        created_at: at,
        updated_at: at,
        dependencies: blockers.map(blocker => ({
          issue_id: this.id(n),
          depends_on_id: this.id(blocker),
          type: 'blocks',
        })),
      }))
      const path = join(folder, 'issues.jsonl')
      writeFileSync(path, jsonLines(records))
      run('import', path)
    },
    id: n => `tick-${n.toString(36).padStart(4, '0')}`,
    show: id => ['show', id],
    ready: ['ready'],
    create: title => ['create', title, '--no-sync'],
    relate: (id, blocker) => ['dep', 'add', id, blocker],
  },
  {
    name: 'taskwarrior',
    store: 'text files (2) or SQLite (3) of its own',
    hasPlainFiles: true,
    packages: [],
    program: 'task',
    write(folder, items, run) {
      const states = { open: 'pending', active: 'pending', closed: 'completed' }
      const time = (at: string) => at.replace(/[-:]|\.\d+/g, '')
      const records = items.map(({ n, title, state, blockers, at }) => ({
        uuid: this.id(n),
        description: title,
        status: states[state],
        entry: time(at),
        ...(state === 'active' && { start: time(at) }),
        ...(state === 'closed' && { end: time(at) }),
        ...(blockers.length > 0 && { depends: blockers.map(blocker => this.id(blocker)).join(',') }),
      }))
      const path = join(folder, 'items.json')
      writeFileSync(path, JSON.stringify(records))
      run('import', path)
    },
    id: n => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    show: id => [id, 'info'],
    ready: ['ready'],
    create: title => ['add', title],
    relate: (id, blocker) => [id, 'modify', `depends:${blocker}`],
  },
  {
    name: 'fossil',
    store: 'SQLite; tickets without relations',
    hasPlainFiles: false,
    packages: [],
    program: 'fossil',
    write(folder, items) {
      const fossil = (args: string[], input = '') => {
        const env = { ...process.env, USER: 'bench' }
        const { status, stderr } = spawnSync('fossil', args, { cwd: folder, encoding: 'utf8', input, env })
        if (status !== 0) throw new Error(`fossil ${args[0]}: ${stderr.trim()}`)
      }
      fossil(['init', '../items.fossil'])
      fossil(['open', '../items.fossil', '--force'])
      // Into its table of tickets, because it has no import of them and a process for each takes minutes.
      const values = items.map(({ n, title, body, state, at }) => {
        const columns = [String(n).padStart(40, '0'), at, at, state === 'closed' ? 'Closed' : 'Open', title, body]
        return `(${columns.map(text => `'${text}'`).join(', ')})`
      })
      const into = 'insert into ticket (tkt_uuid, tkt_mtime, tkt_ctime, status, title, comment) values'
      fossil(['sql', '-R', '../items.fossil'], `begin;\n${values.map(row => `${into} ${row};`).join('\n')}\ncommit;\n`)
    },
    id: n => String(n + 1),
    show: id => ['sql', '-R', '../items.fossil', `select * from ticket where tkt_id = ${id}`],
    ready: ['sql', '-R', '../items.fossil', "select tkt_uuid, title from ticket where status = 'Open'"],
    create: title => ['ticket', 'add', 'title', title, 'status', 'Open'],
  },
]

/** Returns the first line that a program prints, or undefined where it cannot be started. */
export function firstLine(program: string, args: string[], env: NodeJS.ProcessEnv): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', env, timeout: 60_000 })
  return status === 0 ? stdout.trim().split('\n')[0] : undefined
}
