/**
 * Writes the list of commands in docs/cli.md from the operations' own definitions, below its marker.
 *
 * Usage: npm run docs. With --check it writes nothing, and exits 1 where the file is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandNames, loadCommand } from '../src/cli/commands.ts'
import { commandHelp } from '../src/cli/help.ts'

const MARKER = '<!-- Below this line: npm run docs -->\n'
const path = join(import.meta.dirname, '..', 'docs', 'cli.md')
const written = readFileSync(path, 'utf8')
const head = written.slice(0, written.indexOf(MARKER) + MARKER.length)
let text = head
for (const name of commandNames) {
  const help = commandHelp(await loadCommand(name)).split('\nOptions of every command:')[0]!
  text += `\n### ${name}\n\n\`\`\`text\n${help.trim()}\n\`\`\`\n`
}
if (!process.argv.includes('--check')) writeFileSync(path, text)
else if (text !== written) {
  console.error('docs/cli.md is out of date: run "npm run docs"')
  process.exitCode = 1
}
