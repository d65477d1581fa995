/**
 * The oldest Node that ticketplan runs on. Both entries of the package check it before they load anything else:
 * better-sqlite3 ends an older Node with a segmentation fault. So this module imports nothing, and uses nothing that an
 * old Node lacks. Deno names a version of Node too, but does not load the native code in the way of Node.
 */
const OLDEST = [22, 22] as const

/** Returns the message for a user whose Node is too old, or who runs Deno; null for others. */
export function oldNodeMessage(): string | null {
  const { deno } = process.versions
  if (deno !== undefined)
    return `ticketplan runs on Node ${OLDEST.join('.')} or later; this is Deno ${deno}. Run it with Node.`
  const running = process.versions.node
  const [major = 0, minor = 0] = running.split('.').map(Number)
  const isTooOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
  return isTooOld
    ? `ticketplan needs Node ${OLDEST.join('.')} or later; this is Node ${running}. Install a current one.`
    : null
}
