/** Whether Node's permissions have refused a file. Its own words name a flag that no user of ours sets. */
export const isFileOutside = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  error.code === 'ERR_ACCESS_DENIED' &&
  'permission' in error &&
  error.permission === 'FileSystemRead'

export const outsideWords = 'a definition may read no files but those of its folder'
