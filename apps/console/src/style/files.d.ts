/** What the bundler resolves, and TypeScript need not know. */
declare module '*.css'
