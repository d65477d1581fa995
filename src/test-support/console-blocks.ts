/** The console blocks of a page: commands, each with the output that the page shows. */

/** Returns the commands of all blocks, in order. */
export function consoleSteps(page: string): { command: string; shown: string }[] {
  const blocks = [...page.matchAll(/```console\n([\s\S]*?)```/g)].map(match => match[1]!)
  return blocks.flatMap(block =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map(part => {
        const end = part.indexOf('\n')
        return { command: part.slice(0, end), shown: part.slice(end + 1) }
      }),
  )
}

/** Returns a pattern for an output; "…" matches what differs from run to run. */
export function shownPattern(shown: string): RegExp {
  const literal = shown.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literal.join('[^\\n]*?')}$`)
}
