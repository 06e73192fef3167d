// `npm run lock:complete`: npm leaves out the hash of packages that are for other machines than the one where the lock
// file was written, so that there they would be installed whatever the registry sends. This asks the registry for the
// hash of each that has none, and writes it down. A test fails while one is missing.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const file = join(fileURLToPath(new URL('../../..', import.meta.url)), 'package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8'))
let added = 0
for (const [path, entry] of Object.entries(lock.packages)) {
  const name = path.split('node_modules/').at(-1)
  if (!path.includes('node_modules/') || entry.link || entry.integrity) continue
  const wanted = `${entry.name ?? name}@${entry.version}`
  const integrity = execFileSync('npm', ['view', wanted, 'dist.integrity'], { encoding: 'utf8' }).trim()
  if (!integrity.startsWith('sha512-')) throw new Error(`the registry has no hash of ${wanted}`)
  const { version, ...rest } = entry
  lock.packages[path] = { version, integrity, ...rest }
  added += 1
}
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`)
process.stderr.write(`${added} hashes added to package-lock.json\n`)
