"""How the tiny frozen backbones of this world are made: one file per part.

Minutes of one core that does nothing else, and megabytes in half precision; of the parts for sound and motion
none is shipped yet:

====================  =======  ====  ==================================================================
part                  minutes    MB
====================  =======  ====  ==================================================================
language_model             87   3.7  with which `media_language_model` begins
media_language_model       95   3.8
encoder                    12   3.1
media_encoder              22   4.9  instead of `encoder`
diffusion                  40  15.3
extractor                   8   1.2
clip_extractor             17   1.9
sound_extractor            16   2.8
clap                       20        within `audio_diffusion`, its text tower alone
mel_autoencoder            18        within `audio_diffusion`
audio_diffusion            89  10.2
video_diffusion           117  15.8  of which 3.3 are the pictures' autoencoder, written again
====================  =======  ====  ==================================================================

What trial runs showed, where the obvious recipe did not do:

- video_diffusion: 3,000 steps on clips from random weights, text encoder included, came to a loss of 0.126
  and to no held-out clip that was right (attribute F1 0.32). From the pictures' text encoder, and through
  2,400 steps on still pictures, which cost a third each, the same network was there after 300 steps on clips.
  After 2,000 it drew the right things in the right places (F1 0.71), and hardly anything moved: of 26 moves
  three had the right direction. So places where a clip changes count for more in the last piece: after 2,700
  of its steps 17 of 26 moves had it, and 0.62 of the clips of one thing were right in everything.
- clap: tells the AudioLDM what to play, so every attribute must be in its text's embedding. Text towers that
  were trained for 700 steps by the read-out alone held 0.81 of the sounds at a width of 96, and 0.93 at 160.
  So contrast is what pushes attributes out: here the read-out weighs four times as much, on a wider tower.
- sound_extractor: of CLAP's first size, it read 0.74 of the sounds out of their embedding and 0.50 out of
  that of their text; of CLAP's present size all of both.
- The autoencoder of pictures draws frames of clips at 37 to 39 dB, and need not be trained again.
"""
