import { fileURLToPath } from 'node:url'
import { buildConsole } from '../build.ts'

/** vitest's global set-up: the console, where the gateway looks for it. */
export const setup = async (): Promise<void> => {
  await buildConsole(fileURLToPath(new URL('../dist', import.meta.url)))
}
