/** A console of a few lines, where its build would have left it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'

export const files = {
  'index.html': '<!doctype html><script type="module" src="./assets/main-A1.js"></script>\n',
  'assets/main-A1.js': `export const texts = ${JSON.stringify(Array.from({ length: 200 }, () => 'Sekali'))}\n`,
  'assets/main-B2.css': 'body { margin: 0 }\n',
  'assets/icon-C3.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
  'assets/main-A1.js.map': '{}',
} as const

export async function ownConsole() {
  const folder = await temporaryFolder('console-')
  return {
    url: pathToFileURL(`${folder.path}/`),
    async build() {
      await mkdir(join(folder.path, 'assets'))
      for (const [name, text] of Object.entries(files).reverse()) {
        await writeFile(join(folder.path, name), text)
      }
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
