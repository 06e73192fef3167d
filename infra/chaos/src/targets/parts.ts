// The processes of a system that we have started ourselves: which they are, what is done to them, what they have logged.
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { lastLines, readTail } from '@sekali/servers/log-tail'
import { send } from './extras.ts'
import type { Part, Processes } from './target.ts'

const execute = promisify(execFile)

export type OnChange = (part: string) => (reason?: string) => void

/** Notes the parts that end although nobody signalled them. */
export function watchParts(logDir: string, report: (part: string, what: string) => void) {
  const signalled = new Set<string>()
  const ended: string[] = []
  const onChange: OnChange = (part) => (reason?: string) => {
    if (reason === undefined || signalled.delete(part)) return
    report(part, reason)
    if (!reason.startsWith('ended')) return
    void readTail(join(logDir, `${part}.log`)).then((text) => {
      const words = `${part} ended by itself. Its last words:\n${lastLines(text, 25)}`
      ended.push(words)
      report(words, '')
    })
  }
  return { signalled, ended, onChange }
}

type Found = Omit<Part, 'pid'> & { readonly pid: number | null | undefined }

/** The processes that run now. `onSignal` is called before a signal is sent. */
export const processesOf = (
  found: () => readonly Found[],
  onSignal: (part: Part, name: NodeJS.Signals) => void,
): Processes => ({
  parts: async () => found().filter((part): part is Part => typeof part.pid === 'number'),
  signal: async (part, name) => {
    onSignal(part, name)
    send(part.pid, name)
  },
  memoryKb: async ({ pid }) => {
    const answer = await execute('ps', ['-o', 'rss=', '-p', String(pid)]).catch(() => undefined)
    return answer && Number(answer.stdout)
  },
})

/** Lines of the apps' logs since a moment (wall clock, ms) that match. */
export async function linesOf(logDir: string, words: RegExp, sinceMs: number): Promise<string[]> {
  const names = await readdir(logDir)
  const texts = await Promise.all(names.map((name) => readFile(join(logDir, name), 'utf8')))
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => words.test(line) && timeOf(line) >= sinceMs)
}

const timeOf = (line: string): number => Number(/"time":(\d+)/.exec(line)?.[1] ?? 0)
