import { temporaryFolder } from '../src/temporary-folder.ts'

/** A folder that is gone at the end of the scope. By default one that other users may not enter. */
export const ownFolder = (mode = 0o700) => temporaryFolder('sekali-test-', mode)
