"""Cards of what is asked about videos: captions, open questions, multiple choice."""

from __future__ import annotations

from functools import partial

from benchmarks.cards.entry import (
    CAPTION_METRICS,
    CHOICE_METRICS,
    EXACT_METRICS,
    BenchmarkEntry,
    DataFile,
)

_OF = "benchmarks.tasks.videos"
_MSRVTT_MEDIA = ("TestVideo", "test-video", "videos")
_MSVD_MEDIA = ("YouTubeClips", "videos")
_MAPPING = DataFile("mapping", ("youtube_mapping.txt",), 1_970)

_captions = partial(
    BenchmarkEntry,
    family="video-captioning",
    accepts=("text", "video"),
    produces=("text",),
    metrics=CAPTION_METRICS,
    headline="cider_d",
)
_questions = partial(
    BenchmarkEntry,
    family="video-qa",
    accepts=("text", "video"),
    produces=("text",),
    metrics=EXACT_METRICS,
    headline="exact_match_normalized",
)

VIDEOS = (
    _captions(
        name="msr-vtt",
        about="MSR-VTT captions, 20 of each clip",
        target=f"{_OF}.msr_vtt:MSR_VTT",
        paper="Xu et al., MSR-VTT, CVPR 2016",
        origin="https://www.microsoft.com/en-us/research/publication/msr-vtt",
        revision="2016, test_videodatainfo.json",
        licence="research use only",
        split="test",
        samples=2_990,
        folder="msr-vtt",
        files=(DataFile("captions", ("test_videodatainfo.json", "MSRVTT_data.json"), 59_800),),
        media=_MSRVTT_MEDIA,
    ),
    _captions(
        name="msvd",
        about="MSVD captions, about 41 of each clip",
        target=f"{_OF}.msvd:MSVD",
        paper="Chen and Dolan, Collecting Highly Parallel Data for Paraphrase Evaluation, ACL 2011",
        origin="https://www.cs.utexas.edu/~ml/clamp/videoDescription",
        revision="AllVideoDescriptions.txt; clips 1301 to 1970 of youtube_mapping.txt",
        licence="research use only",
        split="test",
        samples=670,
        folder="msvd",
        files=(DataFile("captions", ("AllVideoDescriptions.txt", "captions.json")), _MAPPING),
        media=_MSVD_MEDIA,
    ),
    _questions(
        name="msvd-qa",
        about="open questions about MSVD's clips, one word each",
        target=f"{_OF}.msvd_qa:MSVD_QA",
        paper="Xu et al., Video QA via Gradually Refined Attention over Appearance and Motion, ACM MM 2017",
        origin="https://github.com/xudejing/video-question-answering",
        revision="462f6e5",
        licence="MIT; clips research use only",
        split="test",
        samples=13_157,
        folder="msvd",
        files=(DataFile("questions", ("test_qa.json", "msvd_qa.json"), 13_157), _MAPPING),
        media=_MSVD_MEDIA,
    ),
    _questions(
        name="msrvtt-qa",
        about="open questions about MSR-VTT's clips, one word each",
        target=f"{_OF}.msrvtt_qa:MSRVTT_QA",
        paper="Xu et al., Video QA via Gradually Refined Attention over Appearance and Motion, ACM MM 2017",
        origin="https://github.com/xudejing/video-question-answering",
        revision="462f6e5",
        licence="MIT; clips research use only",
        split="test",
        samples=72_821,
        folder="msrvtt-qa",
        files=(DataFile("questions", ("test_qa.json",), 72_821),),
        media=_MSRVTT_MEDIA,
    ),
    _questions(
        name="next-qa",
        about="multiple choice: causal, temporal, descriptive",
        target=f"{_OF}.next_qa:NEXT_QA",
        paper="Xiao et al., NExT-QA, CVPR 2021, arXiv:2105.08276",
        origin="https://github.com/doc-doc/NExT-QA",
        revision="dataset/nextqa/val.csv",
        licence="MIT; clips of VidOR, as their owners'",
        split="val",
        samples=4_996,
        metrics=CHOICE_METRICS,
        headline="choice_accuracy",
        folder="nextqa",
        files=(
            DataFile("questions", ("val.csv",), 4_996),
            DataFile("mapping", ("map_vid_vidorID.json",), optional=True),
        ),
        media=("NExTVideo", "videos"),
    ),
    _questions(
        name="next-qa-open",
        about="the same clips, open-ended, by WUPS",
        target=f"{_OF}.next_qa_open:NEXT_QA_OPEN",
        paper="Xiao et al., NExT-QA, CVPR 2021, arXiv:2105.08276",
        origin="https://github.com/doc-doc/NExT-OE",
        revision="dataset/nextqa/test.csv at 7cdcc4d",
        licence="MIT; clips of VidOR, as their owners'",
        split="test",
        samples=9_178,
        metrics=("wups_0_next_qa", "wups_0.9_next_qa"),
        headline="wups_0_next_qa",
        folder="nextoe",
        files=(
            DataFile("questions", ("test.csv",), 9_178),
            DataFile("more answers", ("add_reference_answer_test.json",), optional=True),
            DataFile("mapping", ("map_vid_vidorID.json",), optional=True),
        ),
        media=("NExTVideo", "videos"),
    ),
    _questions(
        name="activitynet-qa",
        about="open questions about long clips, by type",
        target=f"{_OF}.activitynet_qa:ACTIVITYNET_QA",
        paper="Yu et al., ActivityNet-QA, AAAI 2019, arXiv:1906.02467",
        origin="https://github.com/MILVLG/activitynet-qa",
        revision="dataset at 2cf80ae",
        licence="Apache-2.0; clips of ActivityNet, as their owners'",
        split="test",
        samples=8_000,
        folder="activitynet-qa",
        files=(
            DataFile("questions", ("test_q.json", "activitynet_qa_test_q.json"), 8_000),
            DataFile("answers", ("test_a.json", "activitynet_qa_test_a.json"), 8_000),
        ),
        media=("videos", "all_test"),
    ),
)
