/** What definitions get for `node:fs`: files, by path, as far as Node's permissions let them. */
import { existsSync as exists, type PathLike, readFileSync as read } from 'node:fs'
import { isFileOutside, outsideWords } from './file-outside.ts'

export const existsSync = (path: PathLike): boolean => exists(path)

export function readFileSync(path: PathLike, options?: BufferEncoding): string | Buffer {
  if (typeof path === 'number') throw new TypeError('a definition reads files by path')
  try {
    return options === undefined ? read(path) : read(path, options)
  } catch (error) {
    throw isFileOutside(error) ? new Error(outsideWords) : error
  }
}

// biome-ignore lint/style/noDefaultExport: of node:fs there is one
export default Object.freeze({ existsSync, readFileSync })
