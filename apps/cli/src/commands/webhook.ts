/** Webhooks as they come in: whether a request is really of a Sekali that has the secret. */
import { readFile } from 'node:fs/promises'
import { isSecret, verify } from '@sekali/webhook/sign'
import { type Command, InvalidArgumentError } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { type LocalContext, localAction, type Surroundings } from '../context.ts'
import { exitCodes, UsageError } from '../exit.ts'
import { plain, styled } from '../terminal/text.ts'

export function addWebhook(program: Command, surroundings: Surroundings): void {
  const webhook = program
    .command('webhook')
    .summary('check requests that were received')
    .description('Helps those who receive webhooks. What sends them is sekali subscription create --to.')
    .addHelpText(
      'after',
      '\nExample:\n  $ sekali webhook verify body.json -H @headers.txt --secret-file shop.secret',
    )
  webhook
    .command('verify')
    .summary('check the signature of a request that was received')
    .description(
      'Checks a body that was received, byte for byte, against its headers and the secret. The body comes from standard input ' +
        'or a file, the secret from the variable WEBHOOK_SECRET or a file: several, a line each, are tried one after the other. ' +
        'It asks no gateway. It ends with 1 unless a signature fits.',
    )
    .argument('[file]', 'the body; without it standard input')
    .option(
      '-H, --header <header>',
      "one of the request's, as 'webhook-id: evt_…'; @file reads such lines; may be said again, and others are passed over",
      header,
    )
    .option('--secret-file <file>', 'what has the secret')
    .option('--tolerance <seconds>', 'how old, or how far ahead, it may be', wholeNumber(0, 1e9), 300)
    .addHelpText(
      'after',
      `
Example:
  $ sekali webhook verify body.json -H @headers.txt --secret-file shop.secret
  valid: evt_9Zl5nq0mX3cP1tYwB7uKdE2sRfa, signed 3 s ago`,
    )
    .action(localAction(surroundings, run))
}

interface Options {
  readonly header?: readonly string[]
  readonly secretFile?: string
  readonly tolerance: number
}

const run = async ({ json, out }: LocalContext, [file]: string[], options: Options) => {
  const headers = await headersOf(options.header ?? [])
  const secrets = await secretsOf(options.secretFile)
  const body = await bodyOf(file)
  const [id, timestamp, signature] = names.map((name) => headers.get(name) ?? '')
  const missing = names.filter((name) => !headers.has(name))
  if (id === undefined || timestamp === undefined || signature === undefined || missing.length > 0)
    throw new UsageError(`the headers ${missing.join(', ')} are missing: -H 'webhook-id: …', or -H @FILE`)
  const nowMs = Date.now()
  const result = verify({ id, timestamp, signature, body }, secrets, {
    nowMs,
    toleranceSeconds: options.tolerance,
  })
  const isValid = result === 'ok'
  if (json) await out.line(JSON.stringify({ valid: isValid, reason: isValid ? null : result, id }))
  else if (isValid) {
    const seconds = Math.round(nowMs / 1_000 - Number(timestamp))
    await out.line(`${styled('green', 'valid')}: ${plain(id)}, signed ${seconds} s ago`)
  } else await out.line(`${styled('red', 'not valid')}: ${reasons[result]}`)
  return isValid ? exitCodes.done : exitCodes.refused
}

const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const

const reasons: Readonly<Record<Exclude<ReturnType<typeof verify>, 'ok'>, string>> = {
  no_match:
    'no signature fits: another secret, or the body or a header is not byte for byte what was sent (a parser has read it and written it again, perhaps)',
  too_old:
    'it fits, but was signed longer ago than the tolerance: a replay, or one that waited; --tolerance says more',
  too_new: 'it was signed in the future: the clock of one of the two is wrong',
  malformed: 'webhook-timestamp must be seconds since 1970, and webhook-signature v1,… in base64',
}

/** Names do not care for case; of lines that are no headers, such as the one of the request, nothing is taken. */
async function headersOf(given: readonly string[]): Promise<Map<string, string>> {
  const texts = await Promise.all(
    given.map((one) => (one.startsWith('@') ? readText(one.slice(1), 'a header') : one)),
  )
  const lines = texts.flatMap((one) => one.split(/\r?\n/))
  return new Map(
    lines.flatMap((line) => {
      const [, name, value] = /^([^\s:]+):\s*(.*?)\s*$/.exec(line) ?? []
      return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value] as const]
    }),
  )
}

async function secretsOf(file: string | undefined): Promise<string[]> {
  const { WEBHOOK_SECRET: given } = process.env
  if (file !== undefined && given !== undefined)
    throw new UsageError('--secret-file and WEBHOOK_SECRET are both given: leave one out')
  const lines = (file === undefined ? (given ?? '') : await readText(file, 'the secret'))
    .split(/\s+/)
    .filter(Boolean)
  if (lines.length === 0) throw new UsageError('the secret is missing: --secret-file, or WEBHOOK_SECRET')
  // Not with the text: it may be a secret, if a broken one.
  if (!lines.every(isSecret)) throw new UsageError('the secret must be whsec_ and 24 to 64 bytes in base64')
  return lines
}

/** As bytes: a body is signed as it was sent. */
async function bodyOf(file: string | undefined): Promise<Buffer> {
  if (file !== undefined) {
    return await readFile(file).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`${file}, the body, cannot be read (${error.code})`)
    })
  }
  if (process.stdin.isTTY) throw new UsageError('the body is missing: name a FILE, or pipe it in')
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const readText = (file: string, what: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${file}, ${what}, cannot be read (${error.code})`)
  })

/** An option that may be said again. */
function header(text: string, before: readonly string[] = []): readonly string[] {
  if (text.startsWith('@') || text.includes(':')) return [...before, text]
  throw new InvalidArgumentError("It must be a name and a value, such as 'webhook-id: evt_…', or @FILE.")
}
