import { readFile } from 'node:fs/promises'
import { UsageError } from '../exit.ts'
import { isToken } from './profiles.ts'

/** A token, without the end of its line. `place` says where it came from: no message may show the token itself. */
export function parseToken(text: string, place: string): string {
  const token = text.trim()
  if (isToken(token)) return token
  throw new UsageError(
    `${place} holds no token: it must be one line of visible ASCII characters, at most 8,192`,
  )
}

/** The token in a file. */
export async function readToken(file: string): Promise<string> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read the token in ${file} (${(error as NodeJS.ErrnoException).code})`)
  }
  return parseToken(text, file)
}

/** The token that standard input holds. */
export async function readTokenFrom(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > 65_536) break // parseToken refuses it
  }
  return parseToken(Buffer.concat(chunks).toString('utf8'), 'standard input')
}
