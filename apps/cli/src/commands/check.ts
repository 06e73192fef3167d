import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { relative, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { createLineSplitter } from '@sekali/client/lines'
import { parseJson, stringifyJson } from '@sekali/core/json'
import { placeOf } from '@sekali/core/place'
import type { Command } from 'commander'
import { type LocalContext, localAction, type Surroundings } from '../context.ts'
import { exitCodes, UsageError } from '../exit.ts'
import { count, number, plain, styled } from '../terminal/text.ts'

/** The projector's own program for it: definitions are loaded and folded as a projector would, and nowhere else. */
const program = fileURLToPath(placeOf(import.meta.url, '../../../projector/src/check/main.ts', './check.mjs'))

/** What the program finds, a line each: as in the projector's check/finding.ts. */
type Finding =
  | { found: 'definition'; file: string; name: string; version: number; topics: string[]; keyed: boolean }
  | { found: 'problem'; file: string; line?: number; message: string }
  | { found: 'events'; count: number }
  | { found: 'state'; name: string; key: string; state: string }
  | {
      found: 'failure' | 'skipped'
      name: string
      topic: string
      seq: number
      eventId: string
      message: string
      count: number
    }

export function addCheck(projection: Command, surroundings: Surroundings): void {
  projection
    .command('check')
    .description(
      'Loads definitions as a projector would, without a gateway, and says what is wrong with them. With --events it ' +
        'also folds events and shows the states. It ends with 1 if a definition, or an event, is wrong.',
    )
    .argument('<files...>', 'files of definitions, or folders of them')
    .option('-e, --events <file>', 'fold the events of this file: lines, as sekali replay writes them')
    .action(localAction(surroundings, run))
}

interface Options {
  readonly events?: string
}

const run = async (context: LocalContext, files: string[], { events }: Options) => {
  requireTypes(process.versions.node)
  const request = { paths: files.map((file) => resolve(file)), ...(events && { events: resolve(events) }) }
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, JSON.stringify(request)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const onAbort = () => child.kill()
  context.signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await report(context, child)
  } finally {
    context.signal.removeEventListener('abort', onAbort)
    child.kill()
  }
}

async function report({ json, out, signal }: LocalContext, child: ChildProcess): Promise<number> {
  const ended = once(child, 'close')
  let isWrong = false
  if (child.stdout === null) throw new Error('the output of the check is piped')
  for await (const line of linesOf(child.stdout)) {
    const finding = JSON.parse(line) as Finding
    isWrong ||= finding.found === 'problem' || finding.found === 'failure'
    await out.line(json ? line : textOf(finding))
  }
  const [code] = await ended
  signal.throwIfAborted()
  if (code !== 0) throw new Error(`the check of definitions ended with ${code}`)
  return isWrong ? exitCodes.refused : exitCodes.done
}

async function* linesOf(output: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const splitter = createLineSplitter()
  for await (const chunk of output) yield* splitter.push(chunk)
  yield* splitter.end()
}

function textOf(finding: Finding): string {
  switch (finding.found) {
    case 'definition': {
      const { file, name, version, topics, keyed } = finding
      const key = keyed ? 'a state for each key' : 'one state'
      const of = `version ${version}, of ${topics.map(plain).join(', ')}, ${key}`
      return `${styled('green', '✓')} ${styled('bold', plain(name))}  ${of}  (${shown(file)})`
    }
    case 'problem': {
      const { file, line, message } = finding
      return `${styled('red', '✗')} ${shown(file)}${line === undefined ? '' : `:${line}`}  ${plain(message)}`
    }
    case 'events':
      return `${count(finding.count, 'event')} read`
    case 'state': {
      const { name, key, state } = finding
      const place = key === '' ? plain(name) : `${plain(name)} ${plain(key)}`
      return `${styled('cyan', place)}  ${plain(stringifyJson(parseJson(state)))}`
    }
    default:
      return stopped(finding)
  }
}

function stopped({
  found,
  name,
  topic,
  seq,
  eventId,
  message,
  count: skipped,
}: Finding & { found: 'failure' | 'skipped' }) {
  const place = `${plain(topic)} seq ${seq} (${plain(eventId)}): ${plain(message)}`
  return found === 'failure'
    ? `${styled('red', '✗')} ${plain(name)} stops at ${place}`
    : `${styled('yellow', '!')} ${plain(name)} skipped ${number(skipped)}, the last ${place}`
}

/** As it would be typed here. */
const shown = (file: string): string => plain(relative(process.cwd(), file) || file)

/** Throws UsageError where Node does not strip types by itself. */
function requireTypes(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return
  throw new UsageError(`projection check needs Node 22.18 or newer, and this is ${version}`)
}
