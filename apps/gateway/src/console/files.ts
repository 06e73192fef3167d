/**
 * The files of the console, as its build has left them: `index.html`, and in `assets/` what it loads, whose names have a
 * hash of the content in them. They are read once and kept in memory, some hundred kilobytes.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { FileType } from '@sekali/api/route'
import { placeOf } from '@sekali/core/place'

/** What a client may ask for in place of the bytes themselves. */
export const codings = ['br', 'gzip', 'identity'] as const
type Coding = (typeof codings)[number]

export interface File {
  readonly type: FileType
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Of the content; each coding has one of its own (RFC 9110, 8.8.3.3). */
  tagOf(coding: Coding): string
  /** Compressed when it is asked for first, by a thread of its own. */
  coded(coding: Coding): Promise<Uint8Array<ArrayBuffer>>
}

export interface Build {
  readonly page: File
  readonly assets: ReadonlyMap<string, File>
  readonly icon: File | undefined
}

/** Where they lie. */
export const consoleFolder = placeOf(import.meta.url, '../../../console/dist/', './console/')

const types: Readonly<Record<string, FileType>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The files in a folder, or undefined while none are built. What is of another kind is not served. */
export function readBuild(folder: URL): Build | undefined {
  try {
    const page = readFileSync(new URL('index.html', folder))
    const assets = new Map<string, File>()
    for (const name of readdirSync(new URL('assets/', folder))) {
      const type = types[name.slice(name.lastIndexOf('.'))]
      if (type !== undefined) assets.set(name, fileOf(type, readFileSync(new URL(`assets/${name}`, folder))))
    }
    const icon = [...assets].find(([name]) => name.startsWith('icon'))?.[1]
    return { page: fileOf('text/html; charset=utf-8', page), assets, icon }
  } catch {
    return undefined // the build writes the page last: another is being made, or part of one was deleted
  }
}

const brotli = promisify(brotliCompress)
/** Of eleven: the last takes sixty times as long, which the first visitor waits for, and saves a twelfth of the bytes. */
const brotliQuality = 5
const coders = {
  br: (bytes: Buffer<ArrayBuffer>) =>
    brotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } }),
  gzip: promisify(gzip),
} as const

function fileOf(type: FileType, bytes: Buffer<ArrayBuffer>): File {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
  const made = new Map<Coding, Promise<Uint8Array<ArrayBuffer>>>()
  return {
    type,
    bytes,
    tagOf: (coding) => (coding === 'identity' ? hash : `${hash}-${coding}`),
    coded(coding) {
      if (coding === 'identity') return Promise.resolve(bytes)
      const known = made.get(coding)
      if (known !== undefined) return known
      const coded = coders[coding](bytes)
      made.set(coding, coded)
      coded.catch(() => made.delete(coding)) // the next one tries again
      return coded
    },
  }
}
