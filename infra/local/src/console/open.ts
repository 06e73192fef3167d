import { spawn } from 'node:child_process'
import process from 'node:process'

/** Opens a page in the browser of whoever sits here. Where there is none, nothing happens: the link was printed. */
export function openPage(url: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open'
  const child = spawn(program, [url], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined) // there is no such program
  child.unref()
}
