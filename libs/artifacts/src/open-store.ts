import { openFolderStore } from './folder/folder-store';
import { openS3Store, type S3Options } from './s3/s3-store';
import type { ArtifactStore } from './store';

/** Which store to use. */
export type StoreOptions = { readonly kind: 'folder'; readonly folder: string } | ({ readonly kind: 's3' } & S3Options);

/** Opens a store. Nothing is made or connected to before it is used. */
export function openArtifactStore(options: StoreOptions): ArtifactStore {
  switch (options.kind) {
    case 'folder':
      return openFolderStore(options.folder);
    case 's3':
      return openS3Store(options);
  }
}
