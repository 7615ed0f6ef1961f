export { openArtifactStore } from './open-store';
export type { StoreOptions } from './open-store';
export type { ArtifactStore, ByteRange, Stored } from './store';
export { mediaTypeOf } from './media-type';
