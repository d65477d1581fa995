/** Says once, before the slow tests, that those of fleets are skipped. Throws in CI, which has to install the server. */
import { postgresObstacle } from './postgres-binaries.ts'

export default function setup(): void {
  const obstacle = postgresObstacle()
  if (obstacle !== null) process.stderr.write(`tests of fleets are skipped: ${obstacle}\n`)
}
