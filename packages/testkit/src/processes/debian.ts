import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../../../infra/local/set-up/apt-packages.sh', import.meta.url))

/**
 * Sees to it that Debian's packages are installed, and runs none of their services. For tests in a folder test-more: it
 * takes minutes the first time. Any number of runs may ask at once.
 */
export async function requireDebian(...packages: readonly string[]): Promise<void> {
  const missing = packages.filter((name) => !isInstalled(name))
  if (missing.length === 0) return
  process.stderr.write(`The tests need ${missing.join(', ')}: installing with apt, without services.\n`)
  const [command = '', ...first] = process.getuid?.() === 0 ? ['sh'] : ['sudo', '-n', 'sh']
  const child = spawn(command, [...first, script, ...missing], { stdio: ['ignore', 2, 2] })
  const [code] = (await once(child, 'exit')) as [number | null]
  const left = missing.filter((name) => !isInstalled(name))
  if (code === 0 && left.length === 0) return
  throw new Error(`apt could not install ${left.join(', ')}; its words are above. It needs Debian and root.`)
}

function isInstalled(name: string): boolean {
  const { stdout } = spawnSync('dpkg-query', ['--status', name], { encoding: 'utf8' })
  return /^Status: .* installed$/m.test(stdout ?? '')
}
