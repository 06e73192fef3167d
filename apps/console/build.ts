/**
 * Builds the console: `node apps/console/build.ts` writes `dist/index.html` and `dist/assets/*`, whose names hold the
 * hash of what is in them. Nothing in `dist` is committed.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))

export interface ConsoleBuild {
  /** The folder that holds `index.html` and `assets`. */
  readonly folder: string
  /** Of the files in `assets`. */
  readonly assets: readonly string[]
}

/** Empties `folder` and builds the console into it. */
export async function buildConsole(folder: string): Promise<ConsoleBuild> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: { console: 'src/main.tsx', icon: 'src/style/icon.svg' },
    outdir: join(folder, 'assets'),
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2023', 'chrome123', 'firefox120', 'safari17.5'],
    loader: { '.svg': 'copy' },
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
    write: false,
  })
  await mkdir(join(folder, 'assets'))
  await Promise.all(outputFiles.map(({ path, contents }) => writeFile(path, contents)))
  const assets = outputFiles.map(({ path }) => basename(path))
  const named = (ending: string) => assets.find((name) => name.endsWith(ending)) ?? ''
  const page = (await readFile(join(here, 'index.html'), 'utf8'))
    .replace('{script}', named('.js'))
    .replace('{style}', named('.css'))
    .replace('{icon}', named('.svg'))
  await writeFile(join(folder, 'index.html'), page)
  return { folder, assets }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildConsole(join(here, 'dist'))
