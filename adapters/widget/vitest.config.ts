import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// The tests stand with all others, outside of this folder: the root is the repository's.
export default defineConfig({
  root: here('../..'),
  cacheDir: here('node_modules/.vite'),
  server: { fs: { allow: [here('../..')] } },
  resolve: { alias: { vitest: fileURLToPath(import.meta.resolve('vitest')) } },
  test: { environment: 'happy-dom', dir: here('../../tests/widget'), fileParallelism: false },
})
