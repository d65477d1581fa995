/** Measures the import of the SDK. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Bench, median } from './measuring.ts'

/** Measures the time of an import in a process of its own, and the memory of that process after it. */
export function measureImport({ dist, runs, note }: Bench): void {
  const script = `const t = performance.now(); await import(${JSON.stringify(join(dist, 'index.js'))}); console.log(performance.now() - t, process.memoryUsage().rss / 1048576)`
  const results = Array.from({ length: runs }, () => {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    return stdout.trim().split(' ').map(Number) as [number, number]
  })
  note('import of the SDK, ms', median(results.map(([ms]) => ms)), 'the limit of 100 ms', 100, 1)
  note(
    'memory of a process with the SDK imported, MB',
    median(results.map(([, mb]) => mb)),
    'the limit of 70 MB',
    70,
    1,
  )
}
