import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

interface PackageManifest {
  readonly name: string
  readonly version: string
  readonly license?: string
}

/** The licences of the packages that these files are of, as their licences ask of whoever passes them on. */
export async function noticesOf(modules: readonly string[]): Promise<string> {
  const folders = new Set(modules.filter((id) => id.includes('/node_modules/')).map(folderOf))
  const notices = await Promise.all([...folders].map(noticeOf))
  const introduction = 'The files of this package contain code of these packages.\n'
  return [introduction, ...notices.sort()].join(`\n${'-'.repeat(80)}\n\n`)
}

/** The folder of the package that a file is of. Some packages have a package.json without a name inside, for Node. */
function folderOf(file: string): string {
  const [, before = '', name = ''] = /^(.*\/node_modules\/)((?:@[^/]+\/)?[^/]+)\//.exec(file) ?? []
  const folder = before + name
  if (existsSync(join(folder, 'package.json'))) return folder
  throw new Error(`${file} is of no package`)
}

async function noticeOf(folder: string): Promise<string> {
  const text = await readFile(join(folder, 'package.json'), 'utf8')
  const { name, version, license = 'no licence named' } = JSON.parse(text) as PackageManifest
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice)(\.|-|$)/i.test(file)).sort()
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  return `${name} ${version} (${license})\n\n${texts.map((one) => `${one.trim()}\n`).join('\n')}`
}
