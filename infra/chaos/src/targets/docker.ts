import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { repositoryRoot } from '@sekali/local/repository'
import { ServerFailed } from '@sekali/servers/errors'

const outputBytesMax = 256 * 1024 * 1024
const commandMs = 60_000

/** Runs `docker` in the repository and gives what it writes. Rejects with its last words. */
export function docker(args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: repositoryRoot, maxBuffer: outputBytesMax, timeout: commandMs }
    const child = execFile('docker', args, options, (error, stdout, stderr) => {
      if (error) reject(new ServerFailed(`docker ${args[0]} ${args[1]}: ${stderr.trim() || error.message}`))
      else resolve(stdout)
    })
    child.stdin?.on('error', () => undefined) // it ended before it had read all
    child.stdin?.end(input ?? '')
  })
}

/** Gives every line that a `docker` command writes to `onLine`, until it is disposed. */
export function follow(args: readonly string[], onLine: (line: string) => void): Disposable {
  const child = spawn('docker', args, { cwd: repositoryRoot, stdio: ['ignore', 'pipe', 'ignore'] })
  child.on('error', () => undefined) // without docker nothing else works either, and says so
  createInterface({ input: child.stdout }).on('line', onLine)
  return { [Symbol.dispose]: () => void child.kill() }
}
